"""A small project of the tests' own: environments, stacks and parameters, under names of no other project."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers import environments
from helpers.infra.stacks import configuration
from ml_pipeline.params import files
from ml_pipeline.releases import sweep

REGION = "eu-north-1"
"""A region that no other test deploys to."""
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "local": {"SampleData": "always"},
    "trial": {"SampleData": "when-empty", "PromotionOrder": 1},
    "live": {"SampleData": "never", "PromotionOrder": 2, "Protected": True},
    "preview": {"SampleData": "always", "DaysToLive": 3},
}
"""The files of the environments: one for each setting of SampleData, and one that previews share."""
STACKS = ("foundation", "topics")
ARTIFACTS, DATA = "artifacts-of-tests", "data-of-tests"
"""Buckets, whose names end with the environment."""
ROLE_NAME = "pipeline-for-tests"
"""The role that tests/conftest.py creates."""
PIPELINE, STEP, TRIAL = "Fares", "clean-fares", "taxis"
"""The name of the first pipeline, which ends with the environment; of its step and its trial."""
INPUT, SAMPLE = "fares/in.csv", "fares.csv"

_ALL_KMS = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
_ACCOUNT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
_ROLE = {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:role/{ROLE_NAME}"}
_KEY = {
    "Type": "AWS::KMS::Key",
    "Properties": {
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [{**_ALL_KMS, "Principal": {"AWS": _ACCOUNT}}]}
    },
}
_IN_VPC = {"VpcId": {"Ref": "Vpc"}}
_PARAMETERS = {"ProjectName": {"Type": "String"}, "Environment": {"Type": "String"}}


def _bucket(name: str, **properties: Any) -> dict[str, Any]:
    named = {"BucketName": {"Fn::Sub": f"{name}-${{Environment}}"}}
    return {"Type": "AWS::S3::Bucket", "Properties": {**named, **properties}}


_ENCRYPTED = {
    "ServerSideEncryptionByDefault": {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["VolumeKey", "Arn"]},
    }
}
FOUNDATION: dict[str, Any] = {
    "Parameters": _PARAMETERS,
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        **{
            f"Subnet{number}": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {**_IN_VPC, "CidrBlock": f"10.0.{number}.0/24"},
            }
            for number in (1, 2)
        },
        "SecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {**_IN_VPC, "GroupDescription": "jobs"},
        },
        "VolumeKey": _KEY,
        "DataKey": _KEY,
        "ArtifactBucket": _bucket(
            ARTIFACTS, BucketEncryption={"ServerSideEncryptionConfiguration": [_ENCRYPTED]}
        ),
        "DataBucket": _bucket(DATA),
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
            "PipelineExecutionRoleArn": _ROLE,
            "ProcessingJobRoleArn": _ROLE,
        }.items()
    },
}
"""The outputs of the real stacks, of few resources."""
TOPICS = {
    "Parameters": _PARAMETERS,
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
}


def write_infra(folder: Path, project: str) -> Path:
    """Write templates, parameter files and project.json of a project into a folder, and return it."""
    (folder / "parameters").mkdir(parents=True)
    given = json.loads((configuration.INFRA / "project.json").read_text())
    (folder / "project.json").write_text(json.dumps(given | {"ProjectName": project, "Region": REGION}))
    for name, template in zip(STACKS, (FOUNDATION, TOPICS), strict=True):
        (folder / f"{name}.yaml").write_text(json.dumps(template))
    for name, settings in ENVIRONMENTS.items():
        content = {"Region": REGION, **settings, "Stacks": STACKS, "Parameters": {}}
        (folder / "parameters" / f"{name}.json").write_text(json.dumps(content))
    return folder


def write_params(folder: Path) -> Path:
    """Write the parameter files of the first pipeline: the repository's, with names of the tests' own."""
    (folder / "pipelines").mkdir(parents=True)
    base = json.loads((files.FOLDER / files.BASE).read_text())
    base |= {
        "pipeline_name": f"{PIPELINE}-${{Environment}}",
        "trial": TRIAL,
        "pyspark_process_name": STEP,
        "pyspark_process_data_input": f"s3a://${{DataBucketName}}/{INPUT}",
        "pyspark_process_data_output": "s3a://${DataBucketName}/fares/out",
        "pyspark_process_sample": SAMPLE,
    }
    (folder / files.BASE).write_text(json.dumps(base))
    for name in ENVIRONMENTS:
        (folder / f"{name}.json").write_text("{}")
    return folder


def write_samples(folder: Path) -> Path:
    """Write the sample of the first pipeline's input."""
    folder.mkdir()
    (folder / SAMPLE).write_text("1,2,3\n")
    return folder


@contextmanager
def inside(infra: Path, params: Path) -> Iterator[None]:
    """Have this process work in a project, which `write_infra` and `write_params` made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "PARAMETERS", infra / "parameters")
        patch.setattr(files, "FOLDER", params)
        patch.setattr(sweep, "INFRA", infra)
        for function in vars(configuration).values():
            defaults = getattr(function, "__defaults__", None) or ()
            if configuration.INFRA in defaults:
                replaced = tuple(infra if value == configuration.INFRA else value for value in defaults)
                patch.setattr(function, "__defaults__", replaced)
        yield
