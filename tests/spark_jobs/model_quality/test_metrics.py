"""Metrics of predictions, compared with scikit-learn, from partial sums."""

import math

import numpy as np
import pytest
from model_quality.metrics import binary_sums, regression_sums
from sklearn import metrics as oracle


def in_parts(add_up, label, prediction):
    first, *others = (
        add_up(*part) for part in zip(np.array_split(label, 3), np.array_split(prediction, 3), strict=True)
    )
    for other in others:
        first += other
    return first.metrics()


def test_regression() -> None:
    random = np.random.default_rng(1)
    label = random.normal(1e6, 3, 1_000)
    prediction = label + random.normal(0, 1, 1_000)

    found = in_parts(regression_sums, label, prediction)

    assert found == pytest.approx(
        {
            "rmse": oracle.root_mean_squared_error(label, prediction),
            "mae": oracle.mean_absolute_error(label, prediction),
            "r2": oracle.r2_score(label, prediction),
        }
    )


@pytest.mark.parametrize("digits", [1, 2, 16])
def test_classes(digits) -> None:
    """With few digits, there are ties."""
    random = np.random.default_rng(1)
    label = random.integers(0, 2, 1_000).astype(float)
    prediction = np.clip(0.35 * label + random.uniform(0, 0.65, 1_000), 0.001, 0.999).round(digits)
    prediction = np.clip(prediction, 0.05, 0.95)

    found = in_parts(binary_sums, label, prediction)

    predicted = prediction >= 0.5
    expected = {
        "accuracy": oracle.accuracy_score(label, predicted),
        "precision": oracle.precision_score(label, predicted),
        "recall": oracle.recall_score(label, predicted),
        "f1": oracle.f1_score(label, predicted),
        "log_loss": oracle.log_loss(label, prediction),
    }
    assert found.pop("auc") == pytest.approx(oracle.roc_auc_score(label, prediction), abs=0.002)
    assert found == pytest.approx(expected)


def test_an_undefined_metric_is_not_a_number() -> None:
    constant, none = np.full(5, 7.0), np.array([])

    assert math.isnan(regression_sums(constant, constant + 1).metrics()["r2"])
    assert all(map(math.isnan, regression_sums(none, none).metrics().values()))
    assert math.isnan(binary_sums(np.ones(3), np.full(3, 0.7)).metrics()["auc"])


def test_a_probability_of_zero_of_what_happens_is_a_large_loss_and_not_an_infinite_one() -> None:
    assert binary_sums(np.array([1.0]), np.array([0.0])).metrics()["log_loss"] == pytest.approx(
        -math.log(1e-7)
    )
