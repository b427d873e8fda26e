"""Parameters as the files of the repository give them, and an environment with a stack to work in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from helpers import environments
from helpers.infra.stacks.configuration import stack_names
from helpers.project_settings import project_settings
from ml_pipeline.params import PipelineParams, load_parameters

KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
REGION = "eu-west-1"
OTHER = json.dumps(
    {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}}}
)


@pytest.fixture(scope="session")
def outputs() -> dict[str, str]:
    """Outputs of a stack that is nowhere."""
    return {
        "VpcId": "vpc-0123456789abcdef0",
        "PrivateSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "ProcessingSecurityGroupId": "sg-0123456789abcdef0",
        "VolumeKeyArn": KEY,
        "DataKeyArn": KEY.replace("01234567-", "76543210-"),
        "ArtifactBucketName": "artifact-bucket",
        "DataBucketName": "data-bucket",
        "PipelineExecutionRoleArn": "arn:aws:iam::123456789012:role/pipeline",
        "ProcessingJobRoleArn": "arn:aws:iam::123456789012:role/job",
    }


@pytest.fixture(scope="session")
def parameters(outputs: dict[str, str]) -> PipelineParams:
    """The parameters of local, for that stack."""
    return load_parameters("local", outputs, "0123456789abcdef")


@pytest.fixture(scope="session")
def small_stacks(aws: boto3.Session, role: str) -> None:
    """Small stacks with the outputs of the real ones, in a region of their own."""
    names = ("artifacts-of-tests", "data-of-tests")
    account = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    by_policies = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [by_policies]}},
    }
    in_vpc = {"VpcId": {"Ref": "Vpc"}}
    template = {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            **{
                f"Subnet{number}": {
                    "Type": "AWS::EC2::Subnet",
                    "Properties": {**in_vpc, "CidrBlock": f"10.0.{number}.0/24"},
                }
                for number in (1, 2)
            },
            "SecurityGroup": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {**in_vpc, "GroupDescription": "jobs"},
            },
            "VolumeKey": key,
            "DataKey": key,
            "ArtifactBucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": names[0],
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {
                                "ServerSideEncryptionByDefault": {
                                    "SSEAlgorithm": "aws:kms",
                                    "KMSMasterKeyID": {"Fn::GetAtt": ["VolumeKey", "Arn"]},
                                }
                            }
                        ]
                    },
                },
            },
            "DataBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": names[1]}},
        },
        "Outputs": {
            key: {"Value": value}
            for key, value in {
                "PrivateSubnetIds": {"Fn::Join": [",", [{"Ref": "Subnet1"}, {"Ref": "Subnet2"}]]},
                "ProcessingSecurityGroupId": {"Ref": "SecurityGroup"},
                "VolumeKeyArn": {"Fn::GetAtt": ["VolumeKey", "Arn"]},
                "DataKeyArn": {"Fn::GetAtt": ["DataKey", "Arn"]},
                "ArtifactBucketName": {"Ref": "ArtifactBucket"},
                "DataBucketName": {"Ref": "DataBucket"},
                "PipelineExecutionRoleArn": role,
                "ProcessingJobRoleArn": role,
            }.items()
        },
    }
    cloudformation = aws.client("cloudformation", region_name=REGION)
    for environment in ("local", "dev", "staging"):
        body = json.dumps(template).replace("of-tests", f"of-tests-{environment}")
        first, *others = stack_names(environment)  # type: ignore[arg-type]  # from a tuple
        create = cloudformation.create_stack
        create(StackName=first, TemplateBody=body)
        for name in others:
            create(StackName=name, TemplateBody=OTHER)


@pytest.fixture(scope="module")
def stack(small_stacks: None) -> Iterator[boto3.Session]:
    """A session in that region, in which this process and all environments are meanwhile."""
    project = replace(project_settings(), region=REGION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "project_settings", lambda *_: project)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.setenv(name, REGION)
        yield boto3.Session()


@pytest.fixture
def stack_parameters(stack: boto3.Session) -> PipelineParams:
    """The parameters of local, for the small stack."""
    described = stack.client("cloudformation").describe_stacks(StackName=stack_names("local")[0])
    values = {o["OutputKey"]: o["OutputValue"] for o in described["Stacks"][0]["Outputs"]}
    return load_parameters("local", values, "0123456789abcdef")


@pytest.fixture
def code(tmp_path: Path) -> dict[str, bytes]:
    """A version of the job's code that no other test stages."""
    return {
        "process_pyspark.py": f"# {tmp_path}".encode(),
        "data_utils.py": b"# helpers",
        "configuration.json": b"[]",
    }
