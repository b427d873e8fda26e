"""Common behavior of all operations, with boto3 and in isolation."""

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from werkzeug.exceptions import NotFound

from helpers.local_aws.api.operations import Operation, answer, members, unsupported_members
from helpers.local_aws.api.shapes import service_model
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.execution_plane import ExecutionPlane
from helpers.local_aws.jobs.runner import JobRunner
from helpers.local_aws.service_clients import ServiceClients

SUPPORTED = members("A", "B.C", "L.M")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"A": {"X": 1}, "B": {"C": 1}, "L": [{"M": 1}, {"M": 2}]}, []),
        ({"D": 1}, ["D"]),
        ({"B": {"C": 1, "D": 2}}, ["B.D"]),
        ({"L": [{"M": 1}, {"N": 2}]}, ["L.N"]),
        ({"D": None}, []),
    ],
)
def test_members_that_are_not_supported_are_named(request_: dict[str, Any], expected: list[str]) -> None:
    assert list(unsupported_members(request_, SUPPORTED)) == expected


def test_the_supported_members_are_members_of_the_api(tmp_path) -> None:
    clients = ServiceClients("http://127.0.0.1:1", Credentials("key", "secret"), NotFound())
    operations = ExecutionPlane(
        clients, JobRunner(clients, tmp_path, 1, lambda: None), "us-east-1"
    ).operations

    for name, operation in operations.items():
        for path in operation.members or ():
            shape = service_model().operation_model(name).input_shape
            for part in path.split("."):
                shape = shape.member if shape.type_name == "list" else shape
                assert part in shape.members, f"{name}: {path}"
                shape = shape.members[part]


@pytest.mark.parametrize("name", ["RegisterDevices", "NoSuchOperation"])
def test_an_operation_that_is_not_implemented_is_rejected_by_name(name: str) -> None:
    status, body = answer({}, name, b"{}", None)

    assert status == "400 Bad Request"
    assert body["__type"] == "ValidationException"
    assert name in body["message"]


def test_an_unexpected_exception_is_an_error_with_its_cause_in_the_log(caplog) -> None:
    def broken(_request: object) -> Any:
        raise KeyError("cause")

    status, body = answer({"ListDomains": Operation(broken)}, "ListDomains", b"{}", None)

    assert (status, body["__type"]) == ("400 Bad Request", "InternalFailure")
    assert "KeyError('cause')" in body["message"]
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("batch_describe_model_package", {"ModelPackageArnList": ["g/1"]}),
        ("delete_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": "t"}),
        ("list_monitoring_schedules", {}),
        ("query_lineage", {}),
    ],
)
def test_nothing_is_answered_as_if_it_had_happened(aws: boto3.Session, operation, request_) -> None:
    with pytest.raises(ClientError, match="The embedded AWS does not implement") as caught:
        getattr(aws.client("sagemaker"), operation)(**request_)

    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "request_", "named"),
    [
        (
            "start_pipeline_execution",
            {"PipelineName": "p", "MlflowExperimentName": "m"},
            "MlflowExperimentName",
        ),
        ("describe_pipeline", {"PipelineName": "p", "PipelineVersionAlias": "a"}, "PipelineVersionAlias"),
        ("list_pipelines", {"ManagedBy": "CUSTOMER"}, "ManagedBy"),
    ],
)
def test_a_member_without_effect_is_rejected_by_name(aws: boto3.Session, operation, request_, named) -> None:
    with pytest.raises(ClientError, match=f"does not support {named}"):
        getattr(aws.client("sagemaker"), operation)(**request_)


def test_tags_of_any_resource_can_be_read_and_changed(aws: boto3.Session, role, job) -> None:
    sagemaker, name = aws.client("sagemaker"), f"Tagged-{uuid.uuid4().hex[:8]}"
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}],
    }
    first = [{"Key": "k", "Value": "v"}]
    domain = {
        "DomainName": name,
        "AuthMode": "IAM",
        "DefaultUserSettings": {},
        "SubnetIds": [aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]],
        "VpcId": aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"],
    }
    created = sagemaker.create_domain(**domain, Tags=first)
    arns = [
        sagemaker.create_processing_job(**job(), ProcessingJobName=name, Tags=first)["ProcessingJobArn"],
        sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=role, Tags=first
        )["PipelineArn"],
        created["DomainArn"],
    ]
    for arn in arns:
        sagemaker.add_tags(
            ResourceArn=arn, Tags=[{"Key": "k", "Value": "changed"}, {"Key": "l", "Value": "w"}]
        )
        assert {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]} == {
            "k": "changed",
            "l": "w",
        }
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["k"])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
        with pytest.raises(ClientError, match="aws: prefixed tag key"):
            sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": "w"}])
    sagemaker.delete_domain(DomainId=created["DomainId"], RetentionPolicy={"HomeEfsFileSystem": "Delete"})


def test_tags_of_nothing_are_not_found(aws: boto3.Session) -> None:
    with pytest.raises(ClientError) as caught:
        aws.client("sagemaker").list_tags(
            ResourceArn="arn:aws:sagemaker:us-east-1:123456789012:processing-job/none"
        )

    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
