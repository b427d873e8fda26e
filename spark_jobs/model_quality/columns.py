"""The columns of a model: label and features, how they become numbers, and columns.json, which keeps them.

A number stays one. A text with choices becomes a column for each choice, which is 1 in rows of that choice
and 0 in others (one-hot). What is missing is an empty text in CSV, which XGBoost takes for missing.
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
"""The name of the column that a transform adds."""
REGRESSION, BINARY = "regression", "binary"
"""A label that is a number; a label of two classes, whose prediction is the probability of the second one."""


@dataclass(frozen=True)
class Column:
    """The label or a feature."""

    name: str
    choices: tuple[str, ...] = ()
    """Of a text; none of a number."""
    integral: bool = False
    """Whether a number is whole."""

    @property
    def encoded(self) -> tuple[str, ...]:
        """The names of the columns that it becomes as a feature."""
        return tuple(f"{self.name}={choice}" for choice in self.choices) or (self.name,)

    def encode(self) -> list[pl.Expr]:
        """Return the columns that it becomes as a feature."""
        if not self.choices:
            return [pl.col(self.name).cast(pl.Float64)]
        return [
            (pl.col(self.name) == choice).cast(pl.Float64).alias(name)
            for choice, name in zip(self.choices, self.encoded, strict=True)
        ]

    def decode(self) -> pl.Expr:
        """Return its values, from the columns that it became."""
        if not self.choices:
            return pl.col(self.name)
        each = [
            pl.when(pl.col(name) == 1).then(pl.lit(choice))
            for choice, name in zip(self.choices, self.encoded, strict=True)
        ]
        return pl.coalesce(each).alias(self.name)


@dataclass(frozen=True)
class Columns:
    """The columns of a model, in the order in which it takes them."""

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
        """Return the label as a number: of two classes 0 and 1."""
        if not self.label.choices:
            return pl.col(self.label.name).cast(pl.Float64)
        return (pl.col(self.label.name) == self.label.choices[1]).cast(pl.Float64)

    def decode(self) -> list[pl.Expr]:
        """Return the features, from encoded ones."""
        return [feature.decode() for feature in self.features]

    def predicted(self, first: AnyField) -> Table:
        """Return the table of a transform that joins its input: one field, features, prediction."""
        features = (Double(name, required=False) for name in self.encoded)
        return Table(fields=(first, *features, Double(PREDICTION)))

    def as_json(self) -> str:
        """Return the content of columns.json."""
        content = {"version": VERSION, **asdict(self), "encoded": self.encoded}
        return json.dumps(content, indent=2) + "\n"


def read_columns(text: str, uri: str) -> Columns:
    """Return the columns of a columns.json.

    Raises:
        JobError: it is missing, or is something else.
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
        JobError: a model cannot take it.
    """
    if isinstance(field, String) and field.choices:
        return Column(field.name, field.choices)
    if isinstance(field, (Double, Integer, Decimal)):
        return Column(field.name, integral=isinstance(field, Integer))
    raise JobError(
        f"field {field.name}: a model takes numbers, and String with choices, but this is "
        f"{type(field).__name__}: name it in `ignored`, or make a number of it"
    )


def difference(expected: Columns, found: Columns) -> str | None:
    """Return the first difference between the features of a model and those that a job declares, or None."""
    for before, now in zip_longest(expected.features, found.features):
        if before != now:
            return f"{_shown(before)} is now {_shown(now)}"
    return None


def _shown(column: Column | None) -> str:
    if column is None:
        return "nothing"
    choices = f" of {', '.join(column.choices)}" if column.choices else ""
    return f"{column.name}{choices}"
