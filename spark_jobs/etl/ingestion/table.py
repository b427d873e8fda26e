"""The declaration of a job's input: fields, rules between them, and output columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Callable, Mapping, Union

if TYPE_CHECKING:
    import polars as pl

    from etl.ingestion.fields import Date, Decimal, Double, Integer, String, Timestamp

    AnyField = Union[String, Double, Integer, Decimal, Timestamp, Date]

_MARKS = re.compile('[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000_"]')
"""White space by Unicode, and what else does not count in the name of a column."""


@dataclass(frozen=True)
class Table:
    """A table in files of delimited text, with or without a header line.

    Attributes:
        fields: of a record, in their order.
        rules: conditions between fields, by the reason for which a record is rejected that does not meet one.
        columns: what is written, in this order; by default all fields.
        transform: makes other columns of a data frame with all fields; it keeps the rows.
        formats: of the outputs: parquet, csv.
        separator: between fields.
        multiline: whether quoted fields may contain separators, line breaks and doubled quotes (RFC 4180).
            One task reads a file then: nothing else in it is known to be the beginning of a record.
    """

    fields: tuple[AnyField, ...]
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    transform: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    formats: tuple[str, ...] = ("parquet",)
    separator: str = ","
    multiline: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(each.name for each in self.fields)

    @cached_property
    def _comparable(self) -> tuple[str, ...]:
        return tuple(map(comparable, self.names))

    def is_header(self, texts: list[str]) -> bool:
        """Return whether texts are the names of the fields, without regard to capitals, blanks and marks."""
        return tuple(map(comparable, texts)) == self._comparable

    def known_names(self, texts: list[str]) -> int:
        """Return how many of the texts are names of fields, each counted once."""
        return len(set(map(comparable, texts)) & set(self._comparable))

    @cached_property
    def takes_header_for_a_record(self) -> bool:
        """Whether the names of the fields are values of the fields as well."""
        return not any(field.rejection_reason(field.name) for field in self.fields)

    @cached_property
    def words(self) -> frozenset[str]:
        """The texts that are values, and so no names of columns."""
        return frozenset(choice for each in self.fields for choice in getattr(each, "choices", ()))


def comparable(name: str) -> str:
    """Return a column's name as it is compared.

    >>> comparable('"Whole weight"') == comparable("whole_weight")
    True
    """
    return _MARKS.sub("", name).lower()
