"""Estimates how long a job takes, from earlier runs.

The model of a run's duration is `fixed + core-seconds per byte × bytes / busy cores`: the start of Spark and
the driver, then work that is distributed over the cores. Cores of all instance types count the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.optimize
import scipy.special

from helpers.spark.event_log.summary import RunSummary

SPLIT_BYTES = 4 * 2**20
"""Spark's `spark.sql.files.openCostInBytes`: files are not split below this, so more cores would be idle."""
CONFIDENCE = 0.9
"""Confidence of an interval: one run in ten may lie outside."""
PRIOR_FIXED_SECONDS = 30.0
PRIOR_CORE_SECONDS_PER_GB = 60.0
"""Measured with this project's own job, CSV to Parquet and CSV, on a laptop's cores."""
PRIOR_FACTOR = 3.0
"""Without runs, the interval is from a third to three times the estimate."""
FEW_RUNS_FACTOR = 2.0
"""If the runs do not separate the two parts, the interval is from half to twice the estimate."""
LEAST_RUNS = 3


@dataclass(frozen=True)
class Estimate:
    """An estimate, and its bounds with `CONFIDENCE`."""

    value: float
    low: float
    high: float

    def plus(self, other: "Estimate") -> "Estimate":
        """Return the sum with the bounds added, because both can be wrong in the same direction."""
        return Estimate(self.value + other.value, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> "Estimate":
        """Return the product with a non-negative number."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Residuals:
    """The residuals of a regression."""

    seconds: float
    """Standard error of a run."""
    degrees: int
    """Degrees of freedom: runs minus fitted parts."""
    inverse: np.ndarray = field(repr=False)
    """(XᵀX)⁻¹; the row and the column of a part that the fit set to 0 are 0."""

    def half_width(self, row: np.ndarray) -> float:
        """Return half of the prediction interval in seconds (Student's t for one new run)."""
        spread = math.sqrt(1 + float(row @ self.inverse @ row))
        return float(scipy.special.stdtrit(self.degrees, (1 + CONFIDENCE) / 2)) * self.seconds * spread


@dataclass(frozen=True)
class Model:
    """The estimated speed of a job, and its uncertainty."""

    fixed_seconds: float
    core_seconds_per_gb: float
    basis: str
    """What the estimate is based on, in one sentence."""
    factor: float = 1.0
    """Factor of the upper and lower bounds, if there is no regression."""
    residuals: Residuals | None = None
    most_bytes: int | None = None
    """Bytes that the largest run read; None without runs."""

    def seconds(self, data_bytes: int, slots: int) -> Estimate:
        """Return the duration of the application for an amount of data and a number of cores."""
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
    """Return the bytes of a run's input: the scanned files, or else what its tasks read."""
    return run.scanned_bytes or run.input_bytes


def why_unusable(run: RunSummary) -> str | None:
    """Return why a run cannot be used for estimates, or None."""
    if not run.complete:
        return "the log has no end"
    if run.slots == 0 or bytes_of(run) < SPLIT_BYTES * run.slots:
        return (
            f"{bytes_of(run) / 1e6:,.1f} MB for {run.slots} cores are too little to separate start from "
            f"work; {SPLIT_BYTES / 1e6:.0f} MB a core are the least"
        )
    return None


def fit(runs: Sequence[RunSummary]) -> Model:
    """Return a model from the usable runs of a job.

    With three or more runs that differ in bytes per core, both parts are fitted by non-negative least
    squares. With fewer, the fixed part is the share of a run in which no task ran.
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
    """Return the GB per busy core."""
    return data_bytes / 1e9 / min(slots, max(1, math.ceil(data_bytes / SPLIT_BYTES)))
