"""The metrics that the image computes with scikit-learn, in addition to those of XGBoost."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from helpers.local_aws.xgboost_container.library import xgboost

_OF_LABELS = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "precision": ("precision_score", {}),
    "precision_macro": ("precision_score", {"average": "macro"}),
    "precision_micro": ("precision_score", {"average": "micro"}),
    "recall": ("recall_score", {}),
    "recall_macro": ("recall_score", {"average": "macro"}),
    "recall_micro": ("recall_score", {"average": "micro"}),
}
_OF_VALUES = {
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mae": "mean_absolute_error",
    "r2": "r2_score",
}

CustomMetric = Callable[[Any, xgboost.DMatrix], list[tuple[str, float]]]


def is_custom(name: str) -> bool:
    """Return whether a metric is computed here instead of by XGBoost."""
    return name in _OF_LABELS or name in _OF_VALUES


def custom_metric(names: Sequence[str]) -> CustomMetric | None:
    """Return the `custom_metric` function of `xgboost.train` for the metrics; None if there are none."""
    return partial(_evaluate, names) if names else None


def _evaluate(names: Sequence[str], predictions: Any, data: xgboost.DMatrix) -> list[tuple[str, float]]:
    return [(name, _value(name, predictions, data)) for name in names]


def _value(name: str, predictions: Any, data: xgboost.DMatrix) -> float:
    from sklearn import metrics  # noqa: PLC0415 - takes longer than most trainings

    labels = data.get_label()
    if name in _OF_VALUES:
        return float(getattr(metrics, _OF_VALUES[name])(labels, predictions))
    function, options = _OF_LABELS[name]
    # Predictions are margins: the log-odds of the positive class, or one value per class.
    chosen = np.argmax(predictions, axis=-1) if predictions.ndim > 1 else (predictions > 0.0).astype(int)
    return float(getattr(metrics, function)(labels, chosen, **options))
