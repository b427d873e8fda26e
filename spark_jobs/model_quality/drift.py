"""Measures how much rows differ from a model's baseline: distances per column, and drift.json.

With few rows, distances are large by chance. A limit therefore applies only above the value that samples of
the same distribution exceed once in a thousand times. A report contains both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

from etl.errors import JobError

from model_quality.statistics import Baseline, Statistics, counts_like

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
LEAST_COUNT = 0.5
"""Count that is used for an empty bucket, because the logarithm of 0 is not a number."""
NORMAL_QUANTILE = 3.0902323061678132
"""Value that a standard normal variable exceeds once in a thousand times."""
KOLMOGOROV_QUANTILE = math.sqrt(math.log(2 / 1e-3) / 2)
"""Value that the scaled distance of two large samples exceeds once in a thousand times."""


class Limits(NamedTuple):
    """The limits for differences from the baseline."""

    psi: float
    ks: float
    missing: float
    """Maximum increase of the fraction of missing values."""

    def check(self) -> None:
        """Check the values of the command line.

        Raises:
            JobError: a limit can never be exceeded, or is always exceeded.
        """
        # A comparison with NaN is always false: rows that have drifted would be published.
        if not (math.isfinite(self.psi) and self.psi > 0):
            raise JobError(f"--max_psi {self.psi}: expected a finite number above 0, such as 0.25")
        if not 0 < self.ks <= 1:
            raise JobError(f"--max_ks {self.ks}: expected a number above 0 and up to 1, such as 0.2")
        if not 0 <= self.missing <= 1:
            raise JobError(f"--max_missing {self.missing}: expected a fraction from 0 to 1, such as 0.05")


@dataclass(frozen=True)
class Drift:
    """The difference of a column from its baseline."""

    name: str
    psi: float
    psi_limit: float
    """The given limit, or a larger value that can occur by chance."""
    ks: float | None
    """Only for numbers."""
    ks_limit: float | None
    missing: float
    """The fraction of missing values."""
    baseline_missing: float
    missing_limit: float

    def exceeded(self) -> Iterator[str]:
        """Yield each exceeded limit with the values."""
        if self.psi > self.psi_limit:
            yield f"{self.name}: PSI {self.psi:.3f} is above {self.psi_limit:.3f}"
        if self.ks is not None and self.ks_limit is not None and self.ks > self.ks_limit:
            yield f"{self.name}: Kolmogorov-Smirnov distance {self.ks:.3f} is above {self.ks_limit:.3f}"
        if self.missing - self.baseline_missing > self.missing_limit:
            yield (
                f"{self.name}: {self.missing:.1%} of the values are missing, {self.baseline_missing:.1%} in "
                f"the baseline; the share may rise by {self.missing_limit:.1%}"
            )


def psi(expected: Sequence[int], actual: Sequence[int]) -> float:
    """Return the population stability index of counts in the same buckets: Σ (aᵢ - eᵢ) ln(aᵢ / eᵢ).

    aᵢ and eᵢ are the shares of the buckets (Siddiqi: Credit Risk Scorecards, 2006, which considers less than
    0.1 as no change, and more than 0.25 as a large one). It is Jeffreys' divergence of the two distributions.
    """
    total_expected, total_actual = sum(expected), sum(actual)
    if not total_expected or not total_actual:
        return 0.0
    shares = (
        (max(before, LEAST_COUNT) / total_expected, max(now, LEAST_COUNT) / total_actual)
        for before, now in zip(expected, actual, strict=True)
        if before or now
    )
    return math.fsum((now - before) * math.log(now / before) for before, now in shares)


def psi_by_chance(buckets: int, expected: int, actual: int) -> float:
    """Return the index that samples of the same distribution exceed once in a thousand times.

    The index is distributed as χ² with one degree of freedom less than the number of buckets, times 1/n + 1/m
    (Yurdakul and Naranjo: Statistical Properties of the Population Stability Index, 2020). The quantile of χ²
    is approximated as in Wilson and Hilferty (1931).

    Args:
        buckets: number of nonempty buckets.
        expected: number of values in one sample.
        actual: number of values in the other.
    """
    degrees = buckets - 1
    if degrees < 1 or not expected or not actual:
        return 0.0
    part = 2 / (9 * degrees)
    quantile = degrees * (1 - part + NORMAL_QUANTILE * math.sqrt(part)) ** 3
    return quantile * (1 / expected + 1 / actual)


def kolmogorov_smirnov(expected: Sequence[int], actual: Sequence[int]) -> float:
    """Return the largest difference of the cumulative shares at the edges of buckets: max |Fₐ - Fₑ|.

    The Kolmogorov-Smirnov distance considers all values: it is at least this, and larger by at most the share
    of a bucket.
    """
    total_expected, total_actual = sum(expected), sum(actual)
    if not total_expected or not total_actual:
        return 0.0
    largest = before = now = 0.0
    for of_expected, of_actual in zip(expected, actual, strict=True):
        before += of_expected / total_expected
        now += of_actual / total_actual
        largest = max(largest, abs(now - before))
    return largest


def ks_by_chance(expected: int, actual: int) -> float:
    """Return the distance that samples of the same distribution exceed at most once in a thousand times.

    √(ln(2/0.001)/2) √((n + m) / nm) (Smirnov: Table for Estimating the Goodness of Fit, 1948).
    """
    if not expected or not actual:
        return 0.0
    return KOLMOGOROV_QUANTILE * math.sqrt((expected + actual) / (expected * actual))


def drifts(baseline: Mapping[str, Baseline], found: Statistics, limits: Limits) -> list[Drift]:
    """Return the drift of each column.

    Args:
        baseline: baseline by column, for at least the columns in `found`.
        found: statistics of the rows.
        limits: the limits.
    """
    return [_drift(baseline[name], column, limits) for name, column in found.columns.items()]


def _drift(before: Baseline, found: Any, limits: Limits) -> Drift:
    now = counts_like(before, found)
    expected = (*before.counts, *[0] * (len(now) - len(before.counts)))
    used = sum(1 for each in zip(expected, now, strict=True) if any(each))
    is_number = not before.texts
    rows, rows_before = found.present + found.missing, before.present + before.missing
    return Drift(
        before.name,
        psi(expected, now),
        max(limits.psi, psi_by_chance(used, before.present, found.present)),
        kolmogorov_smirnov(expected, now) if is_number else None,
        max(limits.ks, ks_by_chance(before.present, found.present)) if is_number else None,
        found.missing / rows if rows else 0.0,
        before.missing / rows_before if rows_before else 0.0,
        limits.missing,
    )


def drift_report(rows: int, limits: Limits, columns: Sequence[Drift]) -> dict[str, Any]:
    """Return the content of drift.json."""
    return {
        "version": VERSION,
        "rows": rows,
        "limits": limits._asdict(),
        "columns": [{**vars(each), "exceeded": list(each.exceeded())} for each in columns],
        "drifted": any(True for each in columns for _ in each.exceeded()),
    }
