"""The hyperparameters that the image of the built-in XGBoost accepts, with its messages."""

from typing import Any

import pytest

from helpers.xgboost.hyperparameters import HyperparameterError, validate


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"max_depth": "5", "eta": "0.2"}, {"max_depth": 5, "eta": 0.2}),
        ({"learning_rate": "0.2", "reg_alpha": "1"}, {"eta": 0.2, "alpha": 1.0}),
        ({"eval_metric": "rmse,mae", "objective": "reg:linear"}, {"eval_metric": ["rmse", "mae"]}),
        ({"eval_metric": "error@0.7", "objective": "binary:logistic"}, {"eval_metric": ["error@0.7"]}),
        ({"tree_method": "hist", "monotone_constraints": "(1,-1)"}, {"monotone_constraints": (1, -1)}),
        ({"updater": "grow_histmaker,prune"}, {"updater": ["grow_histmaker", "prune"]}),
    ],
)
def test_values_have_their_types(given: dict[str, str], expected: dict[str, Any]) -> None:
    values = validate({"num_round": "3", **given})

    assert values.pop("num_round") == 3
    assert values.items() >= expected.items()
    assert len(values) == len(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"num_round": "x"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({"num_round": "1", "foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({"num_round": "1", "eta": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"num_round": "1", "subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"num_round": "1", "objective": "x"}, "Hyperparameter objective: x is not in ['aft_loss"),
        ({"num_round": "1", "eval_metric": "rmse,x"}, "value ['rmse', 'x'] not in range ['accuracy'"),
        ({"num_round": "1", "eval_metric": "rmse@1"}, "Metric 'rmse@1' is not supported"),
        ({"num_round": "1", "eval_metric": "error@x"}, "'error@t' expects float input"),
        ({"num_round": "1", "eval_metric": "auc", "objective": "reg:linear"}, "Metric 'auc' can only"),
        ({"num_round": "1", "eval_metric": "rmse"}, "'objective': a job with eval_metric must have"),
        ({"num_round": "1", "objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"num_round": "1", "monotone_constraints": "(1,)"}, "monotone_constraints can be used only when"),
        ({"num_round": "1", "monotone_constraints": "(2,)"}, "value (2,) not in range [-1, 0, 1]"),
        ({"num_round": "1", "updater": "distcol,grow_histmaker"}, "Only one tree grow plugin"),
        ({"num_round": "1", "updater": "prune", "booster": "gblinear"}, "Linear updater should be one of"),
    ],
)
def test_what_the_image_rejects(given: dict[str, str], message: str) -> None:
    with pytest.raises(HyperparameterError) as caught:
        validate(given)
    assert message in str(caught.value)
