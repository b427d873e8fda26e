"""The fields of a record: which texts are valid values, and why others are not.

A field converts a column at once, with Polars, and a single text, with Python. The first may miss a value
that is written in an unusual way, but accepts nothing that the second does not; what it misses is looked at
again.
"""

from __future__ import annotations

import decimal
import re
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    import polars as pl

LARGEST_DOUBLE = sys.float_info.max
SHOWN_CHARACTERS = 120

_BLANKS = "".join(map(chr, range(0x21)))
"""What may stand around a number."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_UNPRINTABLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}

Bound = Union[int, float, decimal.Decimal, None]


def _polars() -> Any:
    """Return Polars, which takes half a second to import: the driver only declares fields."""
    import polars  # noqa: PLC0415

    return polars


@dataclass(frozen=True)
class Field:
    """A field of a record, by its place in it; one that is not required may be empty, and is null then."""

    name: str

    def read_as(self) -> Any:
        """Return the type by which Polars reads the column: that of its values, or text to convert."""
        return _polars().String

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().String

    def values(self) -> pl.Expr:
        """Return the values of the column; null if a text is not a value."""
        return _polars().col(self.name)

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return which values the field accepts; null counts as not accepted."""
        return values.is_not_null()

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text that is not empty, or None."""
        raise NotImplementedError

    def value(self, text: str) -> Any:
        """Return the value of a text without objection."""
        raise NotImplementedError

    def _rejects(self, text: str, what: str) -> str:
        return f"{self.name} is not {what}: {printable(text)}"


@dataclass(frozen=True)
class String(Field):
    """Text, or one of `choices` where there are any."""

    choices: tuple[str, ...] = ()
    required: bool = True

    def values(self) -> pl.Expr:
        """Return the texts, without spaces around them."""
        column = _polars().col(self.name)
        return column if self.choices else column.str.strip_chars(" ")

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return which values are one of the choices, or UTF-8 and not empty."""
        if self.choices:
            return _polars().any_horizontal(*(values == choice for choice in self.choices))
        return (values != "") & ~values.str.contains("\ufffd", literal=True)

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text, or None."""
        if self.choices and text.strip(" ") not in self.choices:
            return self._rejects(text, ", ".join(self.choices))
        return self._rejects(text, "UTF-8") if "\ufffd" in text else None

    def value(self, text: str) -> str:
        """Return the text."""
        return text.strip(" ")


@dataclass(frozen=True)
class _Number(Field):
    """A number between two bounds, which count as well."""

    minimum: Bound = None
    maximum: Bound = None
    required: bool = True

    def read_as(self) -> Any:
        """Return the type of the values, unless empty texts must be distinguished from invalid numbers."""
        return self.dtype() if self.required else _polars().String

    def values(self) -> pl.Expr:
        """Return the numbers."""
        column = _polars().col(self.name)
        return column if self.required else column.cast(self.dtype(), strict=False)

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return which numbers lie between the bounds."""
        least, largest = self._bounds()
        return values.is_between(least, largest)

    def _bounds(self) -> tuple[Any, Any]:
        raise NotImplementedError

    def _outside(self, value: Any) -> str | None:
        if self.minimum is not None and value < self.minimum:
            is_zero = self.minimum == 0
            return f"{self.name} is negative" if is_zero else f"{self.name} is less than {self.minimum}"
        if self.maximum is not None and value > self.maximum:
            return f"{self.name} is more than {self.maximum}"
        return None


@dataclass(frozen=True)
class Double(_Number):
    """A number of 64 bits, finite."""

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Float64

    def _bounds(self) -> tuple[Any, Any]:
        least = -LARGEST_DOUBLE if self.minimum is None else self.minimum
        return least, LARGEST_DOUBLE if self.maximum is None else self.maximum

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text, or None."""
        number = text.strip(_BLANKS)
        if _NO_NUMBER.fullmatch(number):
            return f"{self.name} is not finite"
        if not _NUMBER.fullmatch(number):
            return self._rejects(text, "a number")
        value = float(number)
        return f"{self.name} is not finite" if abs(value) > LARGEST_DOUBLE else self._outside(value)

    def value(self, text: str) -> float:
        """Return the number."""
        return float(text.strip(_BLANKS))


@dataclass(frozen=True)
class Integer(_Number):
    """A whole number of 32 or 64 bits."""

    bits: int = 32

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Int32 if self.bits == 32 else _polars().Int64

    def _bounds(self) -> tuple[Any, Any]:
        limit = 2 ** (self.bits - 1)
        least = -limit if self.minimum is None else self.minimum
        return least, limit - 1 if self.maximum is None else self.maximum

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text, or None."""
        number = text.strip(_BLANKS + "\x7f")
        if _WHOLE.fullmatch(number) and len(number) < 4000:
            value = int(number)
            if -(2 ** (self.bits - 1)) <= value < 2 ** (self.bits - 1):
                return self._outside(value)
        unlike = Double(self.name, minimum=self.minimum, maximum=self.maximum).rejection_reason(text)
        return unlike or self._rejects(text, "a whole number")

    def value(self, text: str) -> int:
        """Return the number."""
        return int(text.strip(_BLANKS + "\x7f"))


@dataclass(frozen=True)
class Decimal(_Number):
    """A number of at most `precision` digits, `scale` of them after the point, written without exponent."""

    precision: int = 18
    scale: int = 2

    def read_as(self) -> Any:
        """Return text, because whether a value fits depends on its digits."""
        return _polars().String

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Decimal(self.precision, self.scale)

    def values(self) -> pl.Expr:
        """Return the numbers of texts that fit."""
        text = _polars().col(self.name)
        return (
            _polars()
            .when(text.str.contains(f"^{self._pattern()}$"))
            .then(text)
            .cast(self.dtype(), strict=False)
        )

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return which numbers lie between the bounds."""
        accepted = values.is_not_null()
        if self.minimum is not None:
            accepted &= values >= decimal.Decimal(str(self.minimum))
        if self.maximum is not None:
            accepted &= values <= decimal.Decimal(str(self.maximum))
        return accepted

    def _pattern(self) -> str:
        return rf"-?[0-9]{{1,{self.precision - self.scale}}}(\.[0-9]{{1,{self.scale}}})?"

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text, or None."""
        number = text.strip(_BLANKS)
        if not re.fullmatch(self._pattern(), number):
            return self._rejects(text, f"a decimal({self.precision},{self.scale})")
        return self._outside(decimal.Decimal(number))

    def value(self, text: str) -> decimal.Decimal:
        """Return the number."""
        return decimal.Decimal(text.strip(_BLANKS))


@dataclass(frozen=True)
class Timestamp(Field):
    """A time, written in one format of chrono and strftime; without an offset it is taken for UTC."""

    format: str = "%Y-%m-%d %H:%M:%S"
    required: bool = True

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Datetime("us", "UTC")

    def values(self) -> pl.Expr:
        """Return the times."""
        text = _polars().col(self.name)
        if "%z" in self.format:
            return text.str.to_datetime(self.format, time_unit="us", strict=False).dt.convert_time_zone("UTC")
        return text.str.to_datetime(self.format, time_unit="us", strict=False).dt.replace_time_zone("UTC")

    def rejection_reason(self, text: str) -> str | None:
        """Return what is wrong with a text, or None."""
        return self._rejects(text, f"a time as {self.format}") if self.value(text) is None else None

    def value(self, text: str) -> Any:
        """Return the time."""
        return _polars().DataFrame({self.name: [text.strip(" ")]}).select(self.values()).item()


@dataclass(frozen=True)
class Date(Timestamp):
    """A day, written in one format."""

    format: str = "%Y-%m-%d"

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Date

    def values(self) -> pl.Expr:
        """Return the days."""
        return _polars().col(self.name).str.to_date(self.format, strict=False)


def printable(text: str) -> str:
    """Return the beginning of a text, with a mark for each character that does not print."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in _UNPRINTABLE else character
        for character in text.strip(" ")[:SHOWN_CHARACTERS]
    )
