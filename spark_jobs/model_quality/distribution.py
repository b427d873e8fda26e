"""The distribution of a column, from one pass with little memory; the distributions of tasks can be added.

Numbers are counted in cells: floating-point numbers with the same sign, exponent and first seven bits of the
mantissa. A cell is therefore at most 1/128 as wide as its numbers are large, and integers up to 256 have
separate cells. Counts between bounds of cells are exact. As in DDSketch (Masson, Rim and Lee, PVLDB 12,
2019), the relative error of quantiles is bounded; the binary exponent replaces the logarithm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np
import polars as pl

MANTISSA_BITS = 7
_SHIFT = 52 - MANTISSA_BITS
_LARGEST_SPAN = 2**17
"""Maximum number of cells for which an array is allocated, used or not."""
_MAGNITUDE = np.int64(2**63 - 1)


@dataclass(frozen=True)
class Cells:
    """The count of each nonempty cell, in the order of the cells."""

    numbers: Any
    """The number of each cell; cells with larger values have larger numbers."""
    counts: Any

    def __add__(self, other: Cells) -> Cells:
        numbers, places = np.unique(np.concatenate([self.numbers, other.numbers]), return_inverse=True)
        counts = np.zeros(len(numbers), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return Cells(numbers, counts)

    @property
    def lower_bounds(self) -> Any:
        """The lower bound of each cell."""
        ordered = self.numbers << _SHIFT
        return np.where(ordered < 0, ordered ^ _MAGNITUDE, ordered).view(np.float64)

    def between(self, edges: Any) -> Any:
        """Return the counts below the first edge, between edges, and from the last edge."""
        places = np.searchsorted(edges, self.lower_bounds, side="right")
        return np.bincount(places, self.counts, len(edges) + 1).astype(np.int64)

    def edges(self, buckets: int) -> Any:
        """Return edges of buckets with about equal numbers of values, at bounds of cells."""
        total = np.cumsum(self.counts)
        targets = total[-1] * np.arange(1, buckets) / buckets
        after = np.unique(np.searchsorted(total, targets) + 1)
        return self.lower_bounds[after[after < len(total)]]


def cell_numbers(values: Any) -> Any:
    """Return the cell number of each value in an array of finite float64."""
    bits = (values + 0.0).view(np.int64)  # converts -0.0 to 0.0
    if bits.min(initial=0) < 0:
        bits ^= (bits >> 63) & _MAGNITUDE
    bits >>= _SHIFT
    return bits


def cells(values: Any) -> Cells:
    """Return the cells of an array of finite float64."""
    numbers = cell_numbers(values)
    if not len(numbers):
        return Cells(numbers, numbers)
    least = int(numbers.min())
    if int(numbers.max()) - least > _LARGEST_SPAN:
        found, counts = np.unique(numbers, return_counts=True)
        return Cells(found, counts)
    numbers -= least
    counts = np.bincount(numbers)
    found = np.flatnonzero(counts)
    return Cells(found + least, counts[found])


@dataclass(frozen=True)
class Numbers:
    """The distribution of numbers."""

    missing: int
    present: int
    mean: float
    squares: float
    """The sum of squared deviations from the mean."""
    minimum: float
    maximum: float
    cells: Cells

    def __add__(self, other: Numbers) -> Numbers:
        """Return the combined distribution (Chan, Golub and LeVeque: Updating Formulae, 1979)."""
        present = self.present + other.present
        if not self.present or not other.present:
            full = self if self.present else other
            mean, squares = full.mean, full.squares
        else:
            apart = other.mean - self.mean
            mean = self.mean + apart * other.present / present
            squares = self.squares + other.squares + apart**2 * self.present * other.present / present
        return Numbers(
            self.missing + other.missing,
            present,
            mean,
            squares,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.cells + other.cells,
        )


@dataclass(frozen=True)
class Texts:
    """The distribution of texts."""

    missing: int
    counts: dict[str, int]
    """Counts by text."""

    @property
    def present(self) -> int:
        """Number of values that are not missing."""
        return sum(self.counts.values())

    def __add__(self, other: Texts) -> Texts:
        names = [*self.counts, *(name for name in other.counts if name not in self.counts)]
        both = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
        return Texts(self.missing + other.missing, both)


def numbers_of(column: pl.Series) -> Numbers:
    """Return the distribution of a column of numbers."""
    present = column.drop_nulls().cast(pl.Float64)
    values = present.to_numpy()
    missing = len(column) - len(values)
    if not len(values):
        return Numbers(missing, 0, 0.0, 0.0, math.inf, -math.inf, cells(values))
    mean, variance, least, largest = (
        float(each) for each in (present.mean(), present.var(ddof=0), present.min(), present.max())
    )
    return Numbers(missing, len(values), mean, variance * len(values), least, largest, cells(values))


def texts_of(column: pl.Series, choices: Sequence[str]) -> Texts:
    """Return the distribution of a column of texts with the given choices."""
    counts = {choice: int((column == choice).sum()) for choice in choices}
    return Texts(column.null_count(), {choice: count for choice, count in counts.items() if count})
