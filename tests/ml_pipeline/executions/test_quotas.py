"""Quotas that are too low are reported with name, code and the command to request an increase."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from helpers.environments import Environment
from ml_pipeline.executions.quotas import JobInstances, instances_needed, insufficient_quotas
from tests.ml_pipeline.small_project import FIRST

M5, R5 = JobInstances("ml.m5.xlarge", "Processing"), JobInstances("ml.r5.xlarge", "Processing")


@pytest.fixture
def quotas() -> Any:
    return boto3.client(
        "service-quotas", region_name="eu-north-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def page(*entries: tuple[str, str, float], more: str | None = None) -> dict[str, Any]:
    listed = [
        {"QuotaName": f"{name} for processing job usage", "QuotaCode": code, "Value": value}
        for name, code, value in entries
    ]
    return {"Quotas": listed, **({"NextToken": more} if more else {})}


def test_a_quota_below_what_a_step_needs_is_reported(quotas: Any) -> None:
    asked = {"ServiceCode": "sagemaker"}
    with Stubber(quotas) as stub:
        stub.add_response("list_service_quotas", page(("ml.c5.large", "L-3", 0.0), more="x"), asked)
        stub.add_response(
            "list_service_quotas",
            page(("ml.m5.xlarge", "L-1", 1.0), ("ml.r5.xlarge", "L-2", 4.0), more="y"),
            {**asked, "NextToken": "x"},
        )

        lines = insufficient_quotas(quotas, {M5: 2, R5: 4})

        stub.assert_no_pending_responses()  # no page was read after both were found
    assert lines == [
        "The quota 'ml.m5.xlarge for processing job usage' (L-1) is 1, and a step needs 2. Request an "
        "increase: aws service-quotas request-service-quota-increase --service-code sagemaker "
        "--quota-code L-1 --desired-value 2 (see docs/platform-engineer.md#service-quotas)"
    ]


def test_without_the_right_to_read_them_that_is_reported(quotas: Any) -> None:
    with Stubber(quotas) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException", "not authorized")

        (line,) = insufficient_quotas(quotas, {M5: 2})

    assert line.startswith("The quotas of SageMaker are not checked: ")
    assert "not authorized" in line


def test_another_error_is_not_hidden(quotas: Any) -> None:
    with Stubber(quotas) as stub:
        stub.add_client_error("list_service_quotas", "ServiceException", "down")

        with pytest.raises(ClientError, match="down"):
            insufficient_quotas(quotas, {M5: 2})


def test_the_embedded_aws_has_no_quotas(aws: boto3.Session) -> None:
    assert insufficient_quotas(aws.client("service-quotas"), {M5: 1000}) == []


def test_what_is_needed_is_the_largest_step_of_each_instance_type(small_project: None) -> None:
    assert instances_needed(Environment("trial"), [FIRST]) == {M5: 2}


def test_each_use_of_instances_has_a_quota_of_its_own() -> None:
    names = [JobInstances("ml.m5.large", use).quota for use in ("Processing", "Training", "Transform")]

    assert names == [f"ml.m5.large for {use} job usage" for use in ("processing", "training", "transform")]
