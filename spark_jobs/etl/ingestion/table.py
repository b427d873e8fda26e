"""Declares the schema of a job: fields, rules between fields, and output columns."""

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
"""Characters that are ignored in column names: Unicode white space, underscores and quotes."""


@dataclass(frozen=True)
class Table:
    """A table in files of delimited text, with or without a header line.

    Attributes:
        fields: the fields of a record, in order.
        rules: conditions between fields, by the reason for rejecting a record.
        columns: the output columns, in order; by default, all fields.
        transform: converts a data frame with all fields to other columns. It must keep the rows.
        formats: the output formats: parquet, csv.
        separator: the character between fields.
        multiline: whether quoted fields may contain separators, line breaks and doubled quotes (RFC 4180).
            Such files are not split among tasks, because the start of a record can be found only by reading
            from the start of the file.
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
        """Return whether texts are the field names, ignoring case, white space, underscores and quotes."""
        return tuple(map(comparable, texts)) == self._comparable

    def known_names(self, texts: list[str]) -> int:
        """Return the number of distinct field names among the texts."""
        return len(set(map(comparable, texts)) & set(self._comparable))

    @cached_property
    def takes_header_for_a_record(self) -> bool:
        """Whether a header line would be a valid record, because the field names are valid values."""
        return not any(field.rejection_reason(field.name) for field in self.fields)

    @cached_property
    def words(self) -> frozenset[str]:
        """The choices of all fields. These texts are not column names."""
        return frozenset(choice for each in self.fields for choice in getattr(each, "choices", ()))


def comparable(name: str) -> str:
    """Return a column name in normalized form, for comparison.

    >>> comparable('"Whole weight"') == comparable("whole_weight")
    True
    """
    return _MARKS.sub("", name).lower()
