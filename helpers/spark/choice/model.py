"""How long a job takes, from what earlier runs took.

A run's wall-clock is taken as `fixed + core-seconds a byte × bytes / cores at work`: start of Spark and
driver, then work that is spread over the cores. A core of any instance type counts as much as another.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.optimize
import scipy.special

from helpers.spark.event_log.summary import RunSummary

SPLIT_BYTES = 4 * 2**20
"""Spark's `spark.sql.files.openCostInBytes`, below which it does not split: more cores have nothing to do."""
CONFIDENCE = 0.9
"""Of an interval: one run in ten may lie outside."""
PRIOR_FIXED_SECONDS = 30.0
PRIOR_CORE_SECONDS_PER_GB = 60.0
"""From this project's own job, CSV to Parquet and CSV, on a laptop's cores."""
PRIOR_FACTOR = 3.0
"""Without runs the truth is taken to lie between a third and three times."""
FEW_RUNS_FACTOR = 2.0
"""With runs that do not separate the two parts, between half and twice."""
LEAST_RUNS = 3


@dataclass(frozen=True)
class Estimate:
    """A figure, and the bounds that it lies between with `CONFIDENCE`."""

    value: float
    low: float
    high: float

    def plus(self, other: "Estimate") -> "Estimate":
        """Return the sum, with the bounds added: both may be wrong in the same direction."""
        return Estimate(self.value + other.value, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> "Estimate":
        """Return the product with a number from 0."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Residuals:
    """What a regression leaves unexplained."""

    seconds: float
    """Standard error of a run."""
    degrees: int
    """Of freedom: runs less fitted parts."""
    inverse: np.ndarray = field(repr=False)
    """(XᵀX)⁻¹; the row and column of a part that the fit set to 0 are 0."""

    def half_width(self, row: np.ndarray) -> float:
        """Return half of the prediction interval, in seconds (Student's t for one new run)."""
        spread = math.sqrt(1 + float(row @ self.inverse @ row))
        return float(scipy.special.stdtrit(self.degrees, (1 + CONFIDENCE) / 2)) * self.seconds * spread


@dataclass(frozen=True)
class Model:
    """What is known of a job's speed, and how sure that is."""

    fixed_seconds: float
    core_seconds_per_gb: float
    basis: str
    """What it rests on, in a sentence."""
    factor: float = 1.0
    """Of the bounds, up and down, where there is no regression."""
    residuals: Residuals | None = None
    most_bytes: int | None = None
    """Read by the largest run, if there were runs."""

    def seconds(self, data_bytes: int, slots: int) -> Estimate:
        """Return the wall-clock of the application on some data and cores."""
        work = _work(data_bytes, slots)
        value = self.fixed_seconds + self.core_seconds_per_gb * work
        if self.residuals is None:
            return Estimate(value, value / self.factor, value * self.factor)
        half = self.residuals.half_width(np.array([1.0, work]))
        return Estimate(value, max(value - half, 0.0), value + half)


PRIOR = Model(
    PRIOR_FIXED_SECONDS,
    PRIOR_CORE_SECONDS_PER_GB,
    "No run shows this job's speed: a guess from another one, good to a factor of 3 at most. Name event logs "
    "of earlier runs with RUNS=",
    PRIOR_FACTOR,
)


def bytes_of(run: RunSummary) -> int:
    """Return the bytes of data that a run was given; where it scanned no files, those that its tasks read."""
    return run.scanned_bytes or run.input_bytes


def why_unusable(run: RunSummary) -> str | None:
    """Return why a run shows nothing about speed, or None if it does."""
    if not run.complete:
        return "the log has no end"
    if run.slots == 0 or bytes_of(run) < SPLIT_BYTES * run.slots:
        return (
            f"{bytes_of(run) / 1e6:,.1f} MB for {run.slots} cores are too little to separate start from "
            f"work; {SPLIT_BYTES / 1e6:.0f} MB a core are the least"
        )
    return None


def fit(runs: Sequence[RunSummary]) -> Model:
    """Return what usable runs of a job show about its speed.

    With three runs or more that differ in bytes a core, both parts are fitted by least squares, neither of
    them below 0. With fewer, a run's own share without tasks is its fixed part.
    """
    if not runs:
        return PRIOR
    work = np.array([_work(bytes_of(run), run.slots) for run in runs])
    seconds = np.array([run.seconds for run in runs])
    largest = max(bytes_of(run) for run in runs)
    if len(runs) < LEAST_RUNS or np.ptp(work) < 0.1 * work.max():
        fixed = float(np.median([run.driver_seconds for run in runs]))
        per_gb = float(np.median([(run.seconds - run.driver_seconds) for run in runs] / work))
        return Model(
            fixed,
            per_gb,
            f"From {len(runs)} run{'s' * (len(runs) > 1)} only, or runs too alike to separate what is "
            "fixed from what grows: good to a factor of 2 at most. Run it on another amount of data",
            FEW_RUNS_FACTOR,
            most_bytes=largest,
        )
    rows = np.column_stack([np.ones_like(work), work])
    (fixed, per_gb), _ = scipy.optimize.nnls(rows, seconds)
    fitted = np.array([fixed, per_gb]) > 0
    degrees = len(runs) - int(fitted.sum())
    inverse = np.zeros((2, 2))
    inverse[np.ix_(fitted, fitted)] = np.linalg.inv(rows[:, fitted].T @ rows[:, fitted])
    error = math.sqrt(float(np.sum((seconds - rows @ [fixed, per_gb]) ** 2)) / degrees)
    return Model(
        float(fixed),
        float(per_gb),
        f"Fitted from {len(runs)} runs, which it misses by {error:.1f} s on average",
        residuals=Residuals(error, degrees, inverse),
        most_bytes=largest,
    )


def _work(data_bytes: int, slots: int) -> float:
    """Return the GB that each core at work reads."""
    return data_bytes / 1e9 / min(slots, max(1, math.ceil(data_bytes / SPLIT_BYTES)))
