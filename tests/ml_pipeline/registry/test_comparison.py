"""Reading and comparing evaluations."""

from collections.abc import Callable
from typing import Any

import pytest

from helpers.errors import UserError
from ml_pipeline.registry.comparison import Comparison, compare
from ml_pipeline.registry.evaluation import Evaluation, read_evaluation
from ml_pipeline.registry.group import ModelGroup
from tests.ml_pipeline.registry.conftest import Register, evaluation


def loaded(document: dict[str, Any]) -> Evaluation:
    return Evaluation.model_validate(document)


def test_versions_are_compared_overall_and_by_slice() -> None:
    one, other = loaded(evaluation(rmse=2.5)), loaded(evaluation(rmse=2.0, rows=12))

    found = compare(one, other)

    assert [(each.part, each.metric) for each in found] == [
        *(("all", "rmse"), ("all", "r2")),
        *(("sex = F", "rmse"), ("sex = F", "r2")),
        *(("sex = M", "rmse"), ("sex = M", "r2")),
    ]
    assert found[0] == Comparison("all", (10, 12), "rmse", 2.5, 2.0)
    assert found[0].change == -0.5
    assert found[2].rows == (5, 6)


def test_a_part_or_a_metric_that_one_of_them_lacks_is_shown() -> None:
    one = loaded(evaluation(slices=[]))
    other = loaded(evaluation(metrics={"mae": 1.0}))

    found = {(each.part, each.metric): each for each in compare(one, other)}

    assert found["all", "mae"] == Comparison("all", (10, 10), "mae", None, 1.0)
    assert found["sex = F", "rmse"].rows == (None, 5)
    assert found["sex = F", "rmse"].change is None


def test_a_metric_that_is_not_defined_in_a_slice_is_left_open() -> None:
    constant = {"column": "sex", "value": "F", "rows": 1, "metrics": {"rmse": 1.0, "r2": None}}
    one, other = loaded(evaluation(slices=[constant])), loaded(evaluation())

    found = {(each.part, each.metric): each for each in compare(one, other)}

    assert found["sex = F", "r2"] == Comparison("sex = F", (1, 5), "r2", None, 0.5)
    assert found["sex = F", "r2"].change is None


def test_versions_that_predict_something_else_are_not_compared() -> None:
    with pytest.raises(UserError, match="one predicts rings, and the other weight"):
        compare(loaded(evaluation()), loaded(evaluation(label="weight")))


def test_the_evaluation_of_a_version_is_read(group: ModelGroup, register: Register) -> None:
    register(rmse=2.25)

    found = read_evaluation(group.s3, group.find(1))

    assert found.metrics["rmse"] == 2.25
    assert [(each.column, each.value, each.rows) for each in found.slices] == [
        ("sex", "F", 5),
        ("sex", "M", 5),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "the document: Invalid JSON"),
        (evaluation(version=2), "version: Input should be 1"),
        (evaluation(metrics={"rmse": "NaN"}), r"metrics\.rmse: Input should be a finite number"),
        (evaluation(slices=[{"column": "sex"}]), r"slices\.0\.value: Field required"),
    ],
)
def test_an_evaluation_that_cannot_be_used_is_named_with_its_problem(
    group: ModelGroup, register: Register, put: Callable[..., str], content: Any, problem: str
) -> None:
    register()
    uri = group.find(1).metrics
    put(uri.removeprefix("s3://").split("/", 1)[1], content)

    with pytest.raises(UserError, match=rf"evaluation\.json, the evaluation of version 1, .*: {problem}"):
        read_evaluation(group.s3, group.find(1))


def test_a_version_without_evaluation_is_marked_as_such(group: ModelGroup, register: Register) -> None:
    register(ModelMetrics=None)
    register()
    bucket, key = group.find(2).metrics.removeprefix("s3://").split("/", 1)
    group.s3.delete_object(Bucket=bucket, Key=key)

    with pytest.raises(UserError, match="Version 1 has no evaluation\nHint: Register"):
        read_evaluation(group.s3, group.find(1))
    with pytest.raises(UserError, match="The evaluation of version 2 is missing: s3://"):
        read_evaluation(group.s3, group.find(2))
