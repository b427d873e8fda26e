"""Models, with boto3."""

import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.roles import create_role

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
Create = Callable[..., str]


@pytest.fixture(scope="module")
def sagemaker(aws: boto3.Session) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def artifact(aws: boto3.Session, bucket: str) -> str:
    """The URI of a model's archive."""
    aws.client("s3").put_object(Bucket=bucket, Key="m/model.tar.gz", Body=b"model")
    return f"s3://{bucket}/m/model.tar.gz"


@pytest.fixture
def create(sagemaker: Any, role: str, artifact: str) -> Create:
    """Creates a model and returns its name."""

    def call(**members: Any) -> str:
        name = members.pop("ModelName", f"model-{uuid.uuid4().hex[:8]}")
        container = members.pop("PrimaryContainer", {"Image": IMAGE, "ModelDataUrl": artifact})
        request = {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": container, **members}
        sagemaker.create_model(**request)
        return str(name)

    return call


@pytest.fixture
def package(sagemaker: Any, artifact: str) -> str:
    """The ARN of a package that is pending approval."""
    group = f"group-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = {"Image": IMAGE, "ModelDataUrl": artifact, "Environment": {"A": "1", "B": "1"}}
    created = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification={"Containers": [container]}
    )
    return str(created["ModelPackageArn"])


def test_a_model_is_described_as_it_was_created(sagemaker: Any, create: Create, artifact: str) -> None:
    tags = [{"Key": "Owner", "Value": "o"}]
    name = create(EnableNetworkIsolation=True, Tags=tags)

    described = sagemaker.describe_model(ModelName=name)

    assert described["EnableNetworkIsolation"] is True
    assert described["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": artifact}
    assert sagemaker.list_tags(ResourceArn=described["ModelArn"])["Tags"] == tags
    sagemaker.add_tags(ResourceArn=described["ModelArn"], Tags=[{"Key": "Project", "Value": "p"}])
    assert len(sagemaker.list_tags(ResourceArn=described["ModelArn"])["Tags"]) == 2


def test_models_are_listed_newest_first_and_deleted(sagemaker: Any, create: Create) -> None:
    prefix = f"list-{uuid.uuid4().hex[:8]}"
    names = [create(ModelName=f"{prefix}-{number}") for number in range(3)]

    listed = sagemaker.list_models(NameContains=prefix, MaxResults=2)
    rest = sagemaker.list_models(NameContains=prefix, MaxResults=2, NextToken=listed["NextToken"])

    assert [each["ModelName"] for each in listed["Models"] + rest["Models"]] == names[::-1]
    sagemaker.delete_model(ModelName=names[0])
    with pytest.raises(ClientError, match=f'Could not find model "arn:.*{names[0]}"') as caught:
        sagemaker.describe_model(ModelName=names[0])
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_of_a_package_needs_its_approval(sagemaker: Any, create: Create, package: str) -> None:
    with pytest.raises(ClientError, match="is PendingManualApproval; its ModelApprovalStatus must be Appr"):
        create(PrimaryContainer={"ModelPackageName": package})

    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    assert create(PrimaryContainer={"ModelPackageName": package.rpartition("model-package/")[2]})
    name = create(PrimaryContainer={"ModelPackageName": package, "Environment": {"B": "2"}})
    described = sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"] == {"ModelPackageName": package, "Environment": {"B": "2"}}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"PrimaryContainer": {}}, "PrimaryContainer is required"),
        ({"PrimaryContainer": {"Environment": {}}}, "must have Image or ModelPackageName"),
        (
            {"PrimaryContainer": {"ModelPackageName": "nowhere/1"}},
            "nowhere/1 does not exist",
        ),
        (
            {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://nowhere/m"}},
            "Could not access model data",
        ),
        ({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        ({"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "'subnet-1' does not exist"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "not support PrimaryContainer.Mode"),
        ({"Containers": [{"Image": IMAGE}]}, "does not support Containers"),
    ],
)
def test_what_is_rejected(create: Create, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        create(**members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_name_is_given_once(create: Create) -> None:
    name = create()
    with pytest.raises(ClientError, match='Cannot create already existing model "arn:'):
        create(ModelName=name)


def test_the_role_of_a_model_must_read_its_artifacts(
    aws: boto3.Session, create: Create, bucket: str, artifact: str
) -> None:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    with pytest.raises(ClientError, match=r"Could not access model data.*perform: s3:GetObject"):
        create(ExecutionRoleArn=create_role(aws, {**read, "Resource": "arn:aws:s3:::other/*"}))
    assert create(ExecutionRoleArn=create_role(aws, read))

    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    body = {"Bucket": bucket, "Key": "m/model.tar.gz", "Body": b"m"}
    aws.client("s3").put_object(**body, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    with pytest.raises(ClientError, match=r"Could not access model data.*perform: kms:Decrypt"):
        create(ExecutionRoleArn=create_role(aws, read))
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    reader = create_role(aws, read, decrypt)
    assert create(ExecutionRoleArn=reader)
    kms.disable_key(KeyId=key.rpartition("/")[2])
    with pytest.raises(ClientError, match=r"Could not access model data.*is disabled"):
        create(ExecutionRoleArn=reader)
