import pytest

from helpers.local_aws.pipelines.conditions import condition_problems, holds
from helpers.local_aws.pipelines.expressions import ExpressionError, follow_path, references, resolve

JOB = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "csv", "S3Output": {"S3Uri": "s3://b/csv"}},
            {"OutputName": "parquet", "S3Output": {"S3Uri": "s3://b/parquet"}},
        ]
    },
    "ProcessingInputs": [{"InputName": "code"}],
    "FinalMetricDataList": [{"MetricName": "validation:rmse", "Value": 2.3}],
    "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
}


def _resolve(value: object) -> object:
    values = {"Parameters.Count": 3, "Execution.PipelineName": "p", "Parameters.Flag": True}
    return resolve(
        value, values.__getitem__, lambda _: {"metrics": [{"rmse": 1.5}]}, lambda uri: {"from": uri}
    )


def test_functions_are_resolved_wherever_they_stand() -> None:
    value = {"a": [{"Get": "Parameters.Count"}], "b": {"Std:Join": {"On": "/", "Values": ["s3:/", "x"]}}}

    assert _resolve(value) == {"a": [3], "b": "s3://x"}


def test_join_takes_functions_and_any_scalar() -> None:
    values = [{"Get": "Execution.PipelineName"}, {"Get": "Parameters.Count"}, {"Get": "Parameters.Flag"}, 1]

    assert _resolve({"Std:Join": {"On": "-", "Values": values}}) == "p-3-true-1"


def test_json_get_reads_a_property_file() -> None:
    function = {"PropertyFile": {"Get": "Steps.s.PropertyFiles.f"}, "Path": "metrics[0].rmse"}

    assert _resolve({"Std:JsonGet": function}) == 1.5


def test_what_only_looks_like_a_function_stays() -> None:
    assert _resolve({"Get": "x", "other": 1}) == {"Get": "x", "other": 1}


@pytest.mark.parametrize("value", [{"Get": 1}, {"Std:Join": {"On": "/"}}, {"Std:JsonGet": {"Path": "x"}}])
def test_a_malformed_function_is_rejected(value: object) -> None:
    with pytest.raises(ExpressionError, match="does not take"):
        _resolve(value)


def test_all_references_are_found() -> None:
    value = {"a": [{"Std:Join": {"On": "", "Values": [{"Get": "Steps.s.X"}]}}], "b": {"Get": "Parameters.P"}}

    assert sorted(references(value)) == ["Parameters.P", "Steps.s.X"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ProcessingOutputConfig.Outputs['parquet'].S3Output.S3Uri", "s3://b/parquet"),
        ('ProcessingOutputConfig.Outputs["csv"].S3Output.S3Uri', "s3://b/csv"),
        ("ProcessingOutputConfig.Outputs[1].OutputName", "parquet"),
        ("ProcessingInputs['code'].InputName", "code"),
        ("FinalMetricDataList['validation:rmse'].Value", 2.3),
        ("InputDataConfig['train'].ContentType", "text/csv"),
    ],
)
def test_paths_lead_into_a_job(path: str, expected: str) -> None:
    assert follow_path(JOB, path, "job") == expected


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("ProcessingOutputConfig.Outputs['orc']", "nothing at 'orc'"),
        ("ProcessingOutputConfig.Outputs[2]", "nothing at '2'"),
        ("Nowhere", "nothing at 'Nowhere'"),
        ("a b", "nothing at 'a'"),
        ("!", "is not a path"),
    ],
)
def test_a_path_that_leads_nowhere_is_rejected(path: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        follow_path(JOB, path, "job")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Type": "Equals", "LeftValue": 1, "RightValue": 1}, True),
        ({"Type": "GreaterThan", "LeftValue": 1, "RightValue": 1}, False),
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": 1, "RightValue": 1}, True),
        ({"Type": "LessThan", "LeftValue": 1, "RightValue": 2}, True),
        ({"Type": "LessThanOrEqualTo", "LeftValue": 3, "RightValue": 2}, False),
        ({"Type": "NotEquals", "LeftValue": 1, "RightValue": 1}, False),
        ({"Type": "In", "QueryValue": "a", "Values": ["a", "b"]}, True),
        ({"Type": "In", "Value": "c", "In": ["a", "b"]}, False),
        ({"Type": "NotIn", "QueryValue": "a", "Values": ["a", "b"]}, False),
        ({"Type": "NotIn", "Value": "c", "In": ["a", "b"]}, True),
        ({"Type": "Not", "Condition": {"Type": "In", "QueryValue": "a", "Values": []}}, True),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 2},
                    {"Type": "Equals", "LeftValue": 2, "RightValue": 2},
                ],
            },
            True,
        ),
    ],
)
def test_conditions(condition: dict[str, object], expected: bool) -> None:
    assert list(condition_problems([condition], "c")) == []
    assert holds(condition) is expected


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ({"Type": "Resembles"}, "'Resembles' is unknown"),
        ({"Type": "Equals", "LeftValue": 1}, "RightValue"),
        ({"Type": "LessThan", "LeftValue": 1, "RightValue": "a"}, "cannot be evaluated"),
        ({"Type": "In", "QueryValue": 1}, "Values"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_rejected(condition: dict[str, object], problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        holds(condition)
