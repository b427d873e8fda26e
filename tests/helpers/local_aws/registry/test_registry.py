"""Model package groups and their versions, with boto3."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.roles import sagemaker_of_role

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
Register = Callable[..., str]


@pytest.fixture(scope="module")
def sagemaker(aws: boto3.Session) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    """The name of a new group."""
    name = f"group-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model_package_group(
        ModelPackageGroupName=name,
        ModelPackageGroupDescription="rings",
        Tags=[{"Key": "Owner", "Value": "o"}],
    )
    return name


@pytest.fixture
def artifact(aws: boto3.Session, bucket: str) -> str:
    """The URI of model artifacts."""
    aws.client("s3").put_object(Bucket=bucket, Key="m/model.tar.gz", Body=b"model")
    return f"s3://{bucket}/m/model.tar.gz"


def specification(artifact: str, **container: Any) -> dict[str, Any]:
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact, **container}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


@pytest.fixture
def register(sagemaker: Any, group: str, artifact: str) -> Register:
    """Registers a version and returns its ARN."""

    def create(**members: Any) -> str:
        specified = {"InferenceSpecification": specification(artifact), **members}
        given = {"ModelPackageGroupName": group, **specified}.items()
        request = {name: value for name, value in given if value is not None}
        return str(sagemaker.create_model_package(**request)["ModelPackageArn"])

    return create


def test_versions_are_numbered_and_wait_for_approval(sagemaker: Any, group: str, register: Register) -> None:
    first, second = register(), register(ModelPackageDescription="d")

    described = sagemaker.describe_model_package(ModelPackageName=second)

    assert [arn.rsplit(":", 1)[1] for arn in (first, second)] == [
        f"model-package/{group}/1",
        f"model-package/{group}/2",
    ]
    assert described["ModelPackageVersion"] == 2
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["ModelPackageDescription"] == "d"
    assert described["CreatedBy"]["IamIdentity"]["Arn"].endswith(":root")
    assert "ModelPackageName" not in described, "AWS names versions by their ARNs only"


def test_metrics_baselines_card_and_properties_are_returned(
    aws: boto3.Session, sagemaker: Any, register: Register, artifact: str
) -> None:
    statistics = {"ContentType": "application/json", "S3Uri": "s3://b/statistics.json"}
    kept = {
        "ModelMetrics": {"ModelDataQuality": {"Statistics": statistics}, "Bias": {}},
        "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": statistics}},
        "ModelCard": {"ModelCardContent": json.dumps({"model_overview": {}}), "ModelCardStatus": "Draft"},
        "CustomerMetadataProperties": {"commit": "abc"},
        "MetadataProperties": {"GeneratedBy": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p"},
    }

    described = sagemaker.describe_model_package(ModelPackageName=register(**kept))

    assert {name: described[name] for name in kept} == kept
    (container,) = described["InferenceSpecification"]["Containers"]
    bucket, key = artifact.removeprefix("s3://").split("/", 1)
    head = aws.client("s3").head_object(Bucket=bucket, Key=key)
    assert container["ModelDataETag"] == head["ETag"].strip('"')


def test_an_approval_is_recorded_and_found(sagemaker: Any, group: str, register: Register) -> None:
    register()
    arn = register(CustomerMetadataProperties={"commit": "abc", "old": "x"})

    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="looks good",
        CustomerMetadataProperties={"ticket": "1"},
        CustomerMetadataPropertiesToRemove=["old"],
    )

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "looks good"
    assert described["CustomerMetadataProperties"] == {"commit": "abc", "ticket": "1"}
    assert described["LastModifiedTime"] >= described["CreationTime"]
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":root")
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [each["ModelPackageArn"] for each in approved["ModelPackageSummaryList"]] == [arn]


def test_an_update_of_a_card_keeps_what_it_does_not_name(sagemaker: Any, register: Register) -> None:
    content = json.dumps({"model_overview": {}})
    card = {"ModelCardContent": content, "ModelCardStatus": "PendingReview"}
    arn = register(ModelCard=card)

    sagemaker.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardStatus": "Approved"})

    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelCard"] == {**card, "ModelCardStatus": "Approved"}


def test_versions_are_listed_in_pages(sagemaker: Any, group: str, register: Register) -> None:
    for _ in range(3):
        register()
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    found = [[each["ModelPackageVersion"] for each in page["ModelPackageSummaryList"]] for page in pages]

    assert found == [[3, 2], [1]]
    # Without a group and a type, AWS lists unversioned packages.
    assert sagemaker.list_model_packages()["ModelPackageSummaryList"] == []
    every = sagemaker.list_model_packages(ModelPackageType="Versioned", NameContains=group)
    assert len(every["ModelPackageSummaryList"]) == 3


def test_the_number_of_a_deleted_version_is_not_given_again(sagemaker: Any, register: Register) -> None:
    register()
    last = register()
    sagemaker.delete_model_package(ModelPackageName=last)

    assert register().endswith("/3")
    with pytest.raises(ClientError, match=f"ModelPackage {last} does not exist"):
        sagemaker.describe_model_package(ModelPackageName=last)


def test_a_request_that_is_repeated_registers_once(register: Register) -> None:
    token = uuid.uuid4().hex
    assert register(ClientToken=token) == register(ClientToken=token)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelPackageName": "x", "ModelPackageGroupName": None}, "does not support ModelPackageName"),
        ({"ModelPackageGroupName": None}, "Missing ARN"),
        ({"ModelPackageGroupName": "nowhere"}, "model-package-group/nowhere does not exist"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "tag the model package group instead"),
        (
            {"ModelCard": {"ModelCardContent": "{", "ModelCardStatus": "Draft"}},
            "ModelCardContent is not valid JSON",
        ),
        (
            {"ModelCard": {"ModelCardContent": '{"model_name": 1}', "ModelCardStatus": "Draft"}},
            "model_name: Extra inputs are not permitted",
        ),
        (
            {"ModelCard": {"ModelCardContent": '{"model_overview": {"model_name": "m"}}'}},
            "model_overview.model_name: Extra inputs are not permitted",
        ),
        (
            {"ModelCard": {"ModelCardContent": '{"intended_uses": {"risk_rating": "low"}}'}},
            "intended_uses.risk_rating: Input should be 'High', 'Medium', 'Low' or 'Unknown'",
        ),
        (
            {"ModelCard": {"ModelCardContent": '{"evaluation_details": [{"metric_groups": []}]}'}},
            "evaluation_details.0.name: Field required",
        ),
        (
            {"InferenceSpecification": specification("s3://nowhere/model.tar.gz")},
            "Could not find model data at s3://nowhere/model.tar.gz",
        ),
        (
            {"SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]}},
            "does not support",
        ),
    ],
)
def test_what_is_rejected_registers_nothing(
    sagemaker: Any, group: str, register: Register, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        register(**members)

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)
    assert listed["ModelPackageSummaryList"] == []


def test_a_group_has_tags_a_policy_and_a_life_of_its_own(sagemaker: Any, group: str) -> None:
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    arn = described["ModelPackageGroupArn"]
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=arn)["CreationTime"]

    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "Project", "Value": "p"}])
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 2
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy='{"Statement": []}')
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"]
    with pytest.raises(ClientError, match=f"Model Package Group already exists: {arn}"):
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    listed = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupDescription"] for each in listed] == ["rings"]

    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match=f"ModelPackageGroup {arn} does not exist") as caught:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_group_with_packages_is_not_deleted(sagemaker: Any, group: str, register: Register) -> None:
    register()
    with pytest.raises(ClientError, match="still contains Model Packages") as caught:
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_a_role_that_may_only_reject_cannot_approve(aws: boto3.Session, register: Register) -> None:
    arn = register()
    rejecting = sagemaker_of_role(
        aws,
        {
            "Effect": "Allow",
            "Action": "sagemaker:UpdateModelPackage",
            "Resource": "*",
            "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}},
        },
    )

    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:UpdateModelPackage"):
        rejecting.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    rejecting.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    described = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Rejected"
    assert ":assumed-role/role-" in described["LastModifiedBy"]["IamIdentity"]["Arn"]


def test_a_role_needs_the_permission_to_register(aws: boto3.Session, group: str, artifact: str) -> None:
    allowed = {"Effect": "Allow", "Action": "sagemaker:CreateModelPackage"}
    elsewhere = "arn:aws:sagemaker:us-east-1:123456789012:model-package*/other*"
    client = sagemaker_of_role(aws, {**allowed, "Resource": elsewhere})
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification(artifact)}

    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateModelPackage"):
        client.create_model_package(**request)

    mine = f"arn:aws:sagemaker:us-east-1:123456789012:model-package*/{group}*"
    assert sagemaker_of_role(aws, {**allowed, "Resource": mine}).create_model_package(**request)
