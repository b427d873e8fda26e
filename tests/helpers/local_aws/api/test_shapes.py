from typing import Any

import pytest

from helpers.local_aws.api.shapes import request_problems

JOB: dict[str, Any] = {
    "ProcessingJobName": "job",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::123456789012:role/r",
}


def test_a_request_of_the_right_shape_has_no_problem() -> None:
    request = JOB | {"Environment": {"A": "1"}, "Tags": [{"Key": "ключ", "Value": "значение"}]}

    assert request_problems("CreateProcessingJob", request) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ProcessingJobName": None}, "misses the required member 'ProcessingJobName'"),
        ({"ProcessingJobName": "a" * 64}, "a length of at most 63, not 64"),
        ({"ProcessingJobName": "a_b"}, "must match the pattern"),
        ({"RoleArn": 7}, "'RoleArn' must be of type string, not int"),
        ({"Enviroment": {}}, "unknown member 'Enviroment'; known are"),
        ({"Environment": {"A": "1" * 257}}, "'Environment.A' must have a length of at most 256"),
        ({"Environment": {str(i): "" for i in range(101)}}, "at most 100, not 101"),
        ({"AppSpecification": {"ImageUri": "i", "ContainerArguments": []}}, "at least 1, not 0"),
        (
            {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": "x"}},
            "must be of type list, not str",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "a value of at least 1, not 0"),
        ({"NetworkConfig": {"EnableNetworkIsolation": "no"}}, "must be of type boolean"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "must be of type integer"),
    ],
)
def test_a_request_of_another_shape_is_rejected(change: dict[str, Any], problem: str) -> None:
    problems = request_problems("CreateProcessingJob", JOB | change)

    assert any(problem in text for text in problems), problems


def test_an_enumeration_names_what_it_knows() -> None:
    resources = {"ClusterConfig": {"InstanceType": "ml.m5.huge", "InstanceCount": 1, "VolumeSizeInGB": 30}}

    (problem,) = request_problems("CreateProcessingJob", JOB | {"ProcessingResources": resources})

    assert "'ml.m5.huge'" in problem
    assert "ml.m5.xlarge" in problem
