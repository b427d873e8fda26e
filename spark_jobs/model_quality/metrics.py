"""Metrics of predictions from sums over rows; the sums of tasks can be added."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Mapping

import numpy as np

from model_quality.columns import BINARY, REGRESSION
from model_quality.distribution import Cells, cells

LOWER_IS_BETTER: Mapping[str, bool] = {
    "rmse": True,
    "mae": True,
    "r2": False,
    "auc": False,
    "accuracy": False,
    "precision": False,
    "recall": False,
    "f1": False,
    "log_loss": True,
}
"""The metrics, and whether lower values are better."""
METRICS_OF: Mapping[str, tuple[str, ...]] = {
    REGRESSION: ("rmse", "mae", "r2"),
    BINARY: ("auc", "accuracy", "precision", "recall", "f1", "log_loss"),
}
"""The metrics of each kind of label."""
LEAST_PROBABILITY = 1e-7
"""Minimum distance of a probability from 0 and 1, because the logarithm of 0 is not a number."""


@dataclass(frozen=True)
class RegressionSums:
    """Sums over labels y and predictions p."""

    rows: int
    squared: float
    """Σ (p - y)²"""
    absolute: float
    """Σ |p - y|"""
    mean: float
    """Mean of y."""
    variation: float
    """Σ (y - ȳ)²"""

    def __add__(self, other: RegressionSums) -> RegressionSums:
        """Return the combined sums (the variation as in Chan, Golub and LeVeque: Updating Formulae, 1979)."""
        rows = self.rows + other.rows
        apart = other.mean - self.mean
        return RegressionSums(
            rows,
            self.squared + other.squared,
            self.absolute + other.absolute,
            self.mean + apart * other.rows / max(rows, 1),
            self.variation + other.variation + apart**2 * self.rows * other.rows / max(rows, 1),
        )

    def metrics(self) -> dict[str, float]:
        """Return rmse = √(Σ(p-y)²/n), mae = Σ|p-y|/n, r2 = 1 - Σ(p-y)²/Σ(y-ȳ)²; NaN if undefined."""
        if not self.rows:
            return dict.fromkeys(METRICS_OF[REGRESSION], math.nan)
        return {
            "rmse": math.sqrt(self.squared / self.rows),
            "mae": self.absolute / self.rows,
            "r2": 1 - self.squared / self.variation if self.variation else math.nan,
        }


@dataclass(frozen=True)
class BinarySums:
    """Counts of labels 0 and 1 by predicted probability of 1."""

    positives: Cells
    negatives: Cells
    true_positives: int
    """Rows with label 1 and a probability of at least 0.5."""
    false_positives: int
    """Rows with label 0 and a probability of at least 0.5."""
    losses: float
    """Σ -ln of the predicted probability of the label."""

    def __add__(self, other: BinarySums) -> BinarySums:
        return BinarySums(
            self.positives + other.positives,
            self.negatives + other.negatives,
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.losses + other.losses,
        )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.positives.counts.sum() + self.negatives.counts.sum())

    def metrics(self) -> dict[str, float]:
        """Return the metrics of a classifier; NaN if undefined, such as auc with only one class.

        accuracy, precision, recall and f1 use a threshold of 0.5. auc is the probability that a row of class
        1 has a higher prediction than a row of class 0 (Hanley and McNeil, Radiology 143, 1982). Ties count
        as one half, and so do predictions in the same cell, which differ by less than 1/128.
        """
        positives, negatives = int(self.positives.counts.sum()), int(self.negatives.counts.sum())
        hits, alarms = self.true_positives, self.false_positives
        rows = positives + negatives
        return {
            "auc": _auc(self.positives, self.negatives),
            "accuracy": _ratio(hits + negatives - alarms, rows),
            "precision": _ratio(hits, hits + alarms),
            "recall": _ratio(hits, positives),
            "f1": _ratio(2 * hits, hits + alarms + positives),
            "log_loss": _ratio(self.losses, rows),
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _auc(positives: Cells, negatives: Cells) -> float:
    pairs = float(positives.counts.sum()) * float(negatives.counts.sum())
    if not pairs:
        return math.nan
    below = np.concatenate([[0], np.cumsum(negatives.counts)])
    under = below[np.searchsorted(negatives.numbers, positives.numbers, side="left")]
    up_to = below[np.searchsorted(negatives.numbers, positives.numbers, side="right")]
    return float((positives.counts * (under + up_to) / 2).sum() / pairs)


def regression_sums(label: Any, prediction: Any) -> RegressionSums:
    """Return the sums over arrays of labels and predictions."""
    if not len(label):
        return RegressionSums(0, 0.0, 0.0, 0.0, 0.0)
    error, mean = prediction - label, float(label.mean())
    deviation = label - mean
    return RegressionSums(
        len(label),
        float(error @ error),
        float(np.abs(error).sum()),
        mean,
        float(deviation @ deviation),
    )


def binary_sums(label: Any, prediction: Any) -> BinarySums:
    """Return the sums over arrays of labels, 0 or 1, and of probabilities."""
    is_positive, is_predicted = label == 1, prediction >= 0.5
    likelihood = np.clip(np.where(is_positive, prediction, 1 - prediction), LEAST_PROBABILITY, 1)
    return BinarySums(
        cells(prediction[is_positive]),
        cells(prediction[~is_positive]),
        int((is_positive & is_predicted).sum()),
        int((~is_positive & is_predicted).sum()),
        float(-np.log(likelihood).sum()),
    )


SUMS: Mapping[str, Callable[[Any, Any], Any]] = {REGRESSION: regression_sums, BINARY: binary_sums}
"""The function that sums labels and predictions, by kind of label."""
