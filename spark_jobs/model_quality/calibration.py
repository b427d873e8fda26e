"""Predictions and labels by buckets of predictions; the sums of tasks can be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from model_quality.distribution import cell_numbers

BUCKETS = 10


@dataclass(frozen=True)
class Calibration:
    """Sums by cell of the prediction, in the order of the cells."""

    numbers: Any
    """The numbers of the cells."""
    sums: Any
    """For each cell, the number of rows, and the sums of predictions and labels."""

    def __add__(self, other: Calibration) -> Calibration:
        numbers = np.concatenate([self.numbers, other.numbers])
        return _added_up(numbers, np.concatenate([self.sums, other.sums]))

    def points(self) -> list[tuple[float, float]]:
        """Return mean prediction and mean label of buckets with about equal numbers of rows."""
        rows = np.cumsum(self.sums[:, 0])
        bucket = np.minimum((rows - self.sums[:, 0] / 2) * BUCKETS // rows[-1], BUCKETS - 1).astype(int)
        sums = np.zeros((BUCKETS, 3))
        np.add.at(sums, bucket, self.sums)
        return [(prediction / count, label / count) for count, prediction, label in sums.tolist() if count]


def calibration_of(label: Any, prediction: Any) -> Calibration:
    """Return the sums over arrays of labels and predictions."""
    values = np.stack([np.ones(len(label)), prediction, label], axis=1)
    return _added_up(cell_numbers(prediction), values)


def _added_up(numbers: Any, values: Any) -> Calibration:
    found, places = np.unique(numbers, return_inverse=True)
    sums = np.zeros((len(found), 3))
    np.add.at(sums, places, values)
    return Calibration(found, sums)
