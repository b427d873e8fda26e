"""The columns of a model: label, features and their encoding, and columns.json, which stores them.

Numbers stay unchanged. A text with choices becomes one column per choice, with 1 in rows of that choice and 0
in others (one-hot). A missing value is an empty field in CSV, which XGBoost reads as missing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import polars as pl
from etl.errors import JobError
from etl.ingestion.fields import Decimal, Double, Integer, String
from etl.ingestion.table import Table

if TYPE_CHECKING:
    from etl.ingestion.table import AnyField

VERSION = 1
PREDICTION = "prediction"
"""The name of the column that a transform job adds."""
REGRESSION, BINARY = "regression", "binary"
"""A numeric label; a label with two classes, for which the prediction is the probability of the second."""


@dataclass(frozen=True)
class Column:
    """The label or a feature."""

    name: str
    choices: tuple[str, ...] = ()
    """The choices of a text; empty for a number."""
    integral: bool = False
    """Whether a number is an integer."""

    @property
    def encoded(self) -> tuple[str, ...]:
        """The names of its encoded columns as a feature."""
        return tuple(f"{self.name}={choice}" for choice in self.choices) or (self.name,)

    def encode(self) -> list[pl.Expr]:
        """Return its encoded columns as a feature."""
        if not self.choices:
            return [pl.col(self.name).cast(pl.Float64)]
        return [
            (pl.col(self.name) == choice).cast(pl.Float64).alias(name)
            for choice, name in zip(self.choices, self.encoded, strict=True)
        ]

    def decode(self) -> pl.Expr:
        """Return its values, decoded from the encoded columns."""
        if not self.choices:
            return pl.col(self.name)
        each = [
            pl.when(pl.col(name) == 1).then(pl.lit(choice))
            for choice, name in zip(self.choices, self.encoded, strict=True)
        ]
        return pl.coalesce(each).alias(self.name)


@dataclass(frozen=True)
class Columns:
    """The columns of a model in the order of the model's input."""

    problem: str
    label: Column
    features: tuple[Column, ...]

    @property
    def encoded(self) -> tuple[str, ...]:
        """The names of the encoded features."""
        return tuple(name for feature in self.features for name in feature.encoded)

    def encode(self) -> list[pl.Expr]:
        """Return the encoded features."""
        return [column for feature in self.features for column in feature.encode()]

    def encode_label(self) -> pl.Expr:
        """Return the label as a number; two classes are 0 and 1."""
        if not self.label.choices:
            return pl.col(self.label.name).cast(pl.Float64)
        return (pl.col(self.label.name) == self.label.choices[1]).cast(pl.Float64)

    def decode(self) -> list[pl.Expr]:
        """Return the features, decoded from the encoded features."""
        return [feature.decode() for feature in self.features]

    def predicted(self, first: AnyField) -> Table:
        """Return the output table of a transform job that joins its input: a field, features, prediction."""
        features = (Double(name, required=False) for name in self.encoded)
        return Table(fields=(first, *features, Double(PREDICTION)))

    def as_json(self) -> str:
        """Return the content of columns.json."""
        content = {"version": VERSION, **asdict(self), "encoded": self.encoded}
        return json.dumps(content, indent=2) + "\n"


def read_columns(text: str, uri: str) -> Columns:
    """Return the columns in a columns.json.

    Raises:
        JobError: the file is missing or not valid.
    """
    if not text:
        raise JobError(f"there is no {uri}: name the baseline that prepare_training_data.py writes")
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise JobError(f"{uri}: version: expected {VERSION}, found {content['version']}: train again")
        label, *features = (
            Column(each["name"], tuple(each["choices"]), each["integral"])
            for each in (content["label"], *content["features"])
        )
        return Columns(content["problem"], label, tuple(features))
    except (ValueError, LookupError, TypeError) as error:
        raise JobError(
            f"{uri} is not a columns.json ({type(error).__name__}: {error}): train the model again"
        ) from error


def column_of(field: AnyField) -> Column:
    """Return a field as a column of a model.

    Raises:
        JobError: the field cannot be part of a model.
    """
    if isinstance(field, String) and field.choices:
        return Column(field.name, field.choices)
    if isinstance(field, (Double, Integer, Decimal)):
        return Column(field.name, integral=isinstance(field, Integer))
    raise JobError(
        f"field {field.name}: a model takes numbers, and String with choices, but this is "
        f"{type(field).__name__}: add it to `ignored`, or declare it as a number"
    )


def difference(expected: Columns, found: Columns) -> str | None:
    """Return the first difference between a model's features and the declared ones, or None."""
    for before, now in zip_longest(expected.features, found.features):
        if before != now:
            return f"{_shown(before)} is now {_shown(now)}"
    return None


def _shown(column: Column | None) -> str:
    if column is None:
        return "nothing"
    choices = f" of {', '.join(column.choices)}" if column.choices else ""
    return f"{column.name}{choices}"
