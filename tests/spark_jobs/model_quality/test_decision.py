"""Decisions on the registration of models."""

import math

import pytest
from etl.errors import JobError
from model_quality.decision import Thresholds, decide

RMSE, AUC = Thresholds("rmse", 2.5, 0.0), Thresholds("auc", 0.8, 0.01)


@pytest.mark.parametrize(
    ("thresholds", "value", "champion", "decision", "words"),
    [
        (RMSE, 2.4, None, "register", "no model is approved yet"),
        (RMSE, 2.5, None, "register", "rmse 2.5 meets the limit 2.5"),
        (RMSE, 2.6, None, "reject", "rmse 2.6 is above the limit 2.5."),
        (RMSE, 2.6, 2.7, "reject", "is above the limit"),
        (RMSE, 2.3, 2.4, "register", "is better than that of the approved model, 2.4, on the same test data"),
        (RMSE, 2.4, 2.4, "reject", "but is not better than that of the approved model, 2.4"),
        (RMSE, 2.4, 2.3, "reject", "but is not better"),
        (AUC, 0.79, None, "reject", "auc 0.79 is below the limit 0.8."),
        (AUC, 0.9, 0.88, "register", "is better than"),
        (AUC, 0.9, 0.895, "reject", "but is not better by 0.01 than that of the approved model, 0.895"),
    ],
)
def test_a_model_is_registered_that_is_good_enough_and_better(
    thresholds, value, champion, decision, words
) -> None:
    name = thresholds.metric

    found = decide({name: value}, None if champion is None else {name: champion}, thresholds)

    assert found.decision == decision
    assert words in found.reason


def test_the_approved_model_is_left_as_it_is_however_good_it_is() -> None:
    for value in (1.0, 9.0):
        found = decide({"rmse": value}, {"rmse": value}, RMSE, same=True)
        assert found == ("unchanged", "this model is the approved one.")


@pytest.mark.parametrize(
    ("limit", "least", "message"),
    [
        (math.nan, 0.0, r"--limit nan: expected the worst value of rmse, a finite number"),
        (math.inf, 0.0, r"--limit inf: expected"),
        (2.5, math.nan, r"--min_improvement nan: expected by how much rmse must be better"),
        (2.5, -0.1, r"--min_improvement -0\.1: expected"),
    ],
)
def test_a_limit_that_each_model_would_meet_is_rejected(limit, least, message) -> None:
    with pytest.raises(JobError, match=message):
        Thresholds("rmse", limit, least).check()
