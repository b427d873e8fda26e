"""Defines the fields of a record: which texts are valid, and why others are rejected.

A field converts columns with Polars, and single texts with Python. The conversion of columns is fast, but
rejects some unusual representations of valid values. These texts are then converted one by one. The
conversion of columns never accepts a text that the other one rejects.
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
"""Characters that may surround a number: all up to the space, U+0020."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_UNPRINTABLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}

Bound = Union[int, float, decimal.Decimal, None]


def _polars() -> Any:
    """Return the module Polars. The driver does not need it, and its import takes half a second."""
    import polars  # noqa: PLC0415

    return polars


@dataclass(frozen=True)
class Field:
    """A field of a record. If it is not required, an empty text is null."""

    name: str

    def read_as(self) -> Any:
        """Return the type with which Polars reads the column: the type of the values, or text to convert."""
        return _polars().String

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().String

    def values(self) -> pl.Expr:
        """Return the values of the column. Invalid texts are null."""
        return _polars().col(self.name)

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return whether each value is valid. Null is not valid."""
        return values.is_not_null()

    def rejection_reason(self, text: str) -> str | None:
        """Return why a nonempty text is rejected, or None if it is valid."""
        raise NotImplementedError

    def value(self, text: str) -> Any:
        """Return the value of a valid text."""
        raise NotImplementedError

    def _rejects(self, text: str, what: str) -> str:
        return f"{self.name} is not {what}: {printable(text)}"


@dataclass(frozen=True)
class String(Field):
    """Text, or one of `choices` if there are any."""

    choices: tuple[str, ...] = ()
    required: bool = True

    def values(self) -> pl.Expr:
        """Return the texts without surrounding spaces."""
        column = _polars().col(self.name)
        return column if self.choices else column.str.strip_chars(" ")

    def accepted(self, values: pl.Expr) -> pl.Expr:
        """Return whether each value is one of the choices or, without choices, nonempty UTF-8."""
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
    """A number from `minimum` to `maximum`, both included."""

    minimum: Bound = None
    maximum: Bound = None
    required: bool = True

    def read_as(self) -> Any:
        """Return the type of the values. Optional fields are text, because empty and invalid texts differ."""
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
    """A finite floating-point number of 64 bits."""

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
    """An integer of 32 or 64 bits."""

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
    """A number with up to `precision - scale` digits before the point and `scale` after it, no exponent."""

    precision: int = 18
    scale: int = 2

    def read_as(self) -> Any:
        """Return text, because the number of digits decides whether a value is valid."""
        return _polars().String

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Decimal(self.precision, self.scale)

    def values(self) -> pl.Expr:
        """Return the numbers. Texts with too many digits are null."""
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
    """A time in a strftime format, which Polars parses with chrono. A time without offset is UTC."""

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
    """A date in a strftime format."""

    format: str = "%Y-%m-%d"

    def dtype(self) -> Any:
        """Return the type of the values."""
        return _polars().Date

    def values(self) -> pl.Expr:
        """Return the dates."""
        return _polars().col(self.name).str.to_date(self.format, strict=False)


def printable(text: str) -> str:
    """Return the beginning of a text, with U+FFFD in place of characters that are not printable."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in _UNPRINTABLE else character
        for character in text.strip(" ")[:SHOWN_CHARACTERS]
    )
