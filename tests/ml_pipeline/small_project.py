"""A small project for tests: environments, stacks, parameters, a pipeline and its job.

It uses nothing of the repository's, which can have other names, environments, pipelines and jobs.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from helpers import environments
from helpers.infra.stacks import configuration
from ml_pipeline import pipelines
from ml_pipeline.executions import sample_data
from ml_pipeline.params import DEFAULT_PIPELINE, files, spark_code
from ml_pipeline.pipelines import Pipeline, PipelineModule
from ml_pipeline.releases import sweep

REGION = "eu-north-1"
"""A region that no other test deploys to."""
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "local": {"SampleData": "always"},
    "trial": {"SampleData": "when-empty", "PromotionOrder": 1},
    "live": {"SampleData": "never", "PromotionOrder": 2, "Protected": True},
    "preview": {"SampleData": "always", "DaysToLive": 3},
}
"""The files of the environments: one for each value of SampleData, and one that previews share."""
STACKS = ("foundation", "topics")
ARTIFACTS, DATA = "artifacts-of-tests", "data-of-tests"
"""The prefixes of the buckets' names, which end with the environment."""
ROLE_NAME = "pipeline-for-tests"
"""The role that tests/conftest.py creates."""
PIPELINE, STEP, TRIAL = "Fares", "clean-fares", "taxis"
"""The prefix of the first pipeline's name, which ends with the environment; its step, and its trial."""
INPUT, SAMPLE = "fares/in.csv", "fares.csv"
CODE, HELPER = "clean_fares.py", "data_utils.py"
"""The files of its job."""

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
"""The outputs of the real stacks, from few resources."""
TOPICS = {
    "Parameters": _PARAMETERS,
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
}

_STAGED = "s3://${ArtifactBucketName}/code/${CodeHash}"
PARAMETERS: dict[str, Any] = {
    "pipeline_name": f"{PIPELINE}-${{Environment}}",
    "job_name_prefix": "${ProjectName}-${Environment}",
    "trial": TRIAL,
    "pipeline_role": "${PipelineExecutionRoleArn}",
    "network_subnet_ids": ["${PrivateSubnetIds}"],
    "network_security_group_ids": ["${ProcessingSecurityGroupId}"],
    "pyspark_process_volume_kms": "${VolumeKeyArn}",
    "pyspark_process_output_kms": "${DataKeyArn}",
    "pyspark_helper_code": f"{_STAGED}/{HELPER}",
    "spark_config_file": f"{_STAGED}/{spark_code.CONFIGURATION}",
    "pyspark_process_code": f"{_STAGED}/{CODE}",
    "process_spark_ui_log_output": "s3://${DataBucketName}/spark_ui_logs/{}",
    "pyspark_framework_version": "3.5",
    "pyspark_process_role": "${ProcessingJobRoleArn}",
    "pyspark_process_name": STEP,
    "pyspark_process_data_input": f"s3a://${{DataBucketName}}/{INPUT}",
    "pyspark_process_sample": SAMPLE,
    "pyspark_process_data_output": "s3a://${DataBucketName}/fares/out",
    "pyspark_process_instance_type": "ml.m5.xlarge",
    "pyspark_process_instance_count": 2,
    "tags": {"Project": "${ProjectName}", "Owner": "${Owner}", "Environment": "${Environment}"},
}
"""The parameters of the first pipeline."""
JOBS = {
    CODE: "OPTIONS = ('--input_table', '--output_table', '--max_rejected_fraction')\n",
    HELPER: "# helpers\n",
    spark_code.CONFIGURATION: "[]\n",
}
"""The content of the files that its step runs."""
MODULE = """
from ml_pipeline.steps import SparkStep
DESCRIPTION = "Cleans fares."
def steps(params):
    return [SparkStep(params["pyspark_process_name"])]
"""


def module(pipeline: str, text: str) -> ModuleType:
    """Return the module of a pipeline as if its file were imported."""
    found = ModuleType(f"{pipelines.__name__}.{pipeline.replace('-', '_')}")
    exec(text, vars(found))
    return found


FIRST = Pipeline(DEFAULT_PIPELINE, cast("PipelineModule", module(DEFAULT_PIPELINE, MODULE)))


def write_project(folder: Path) -> Path:
    """Write all files of the project into a folder, and return it."""
    _write_infra(folder / "infra")
    write_params(folder / "params")
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / f"{DEFAULT_PIPELINE}.py").write_text(MODULE)
    samples = folder / "spark_jobs" / "sample_data"
    samples.mkdir(parents=True)
    (samples / SAMPLE).write_text("1,2,3\n")
    for name, content in JOBS.items():
        (folder / "spark_jobs" / name).write_text(content)
    return folder


def _write_infra(folder: Path) -> None:
    (folder / "parameters").mkdir(parents=True)
    given = json.loads((configuration.INFRA / "project.json").read_text())
    names = {"ProjectName": "small-project", "Region": REGION}
    (folder / "project.json").write_text(json.dumps(given | names))
    for name, template in zip(STACKS, (FOUNDATION, TOPICS), strict=True):
        (folder / f"{name}.yaml").write_text(json.dumps(template))
    for name, settings in ENVIRONMENTS.items():
        content = {"Region": REGION, **settings, "Stacks": STACKS, "Parameters": {}}
        (folder / "parameters" / f"{name}.json").write_text(json.dumps(content))


def write_params(folder: Path) -> Path:
    """Write the parameter files of the first pipeline into a folder, and return it."""
    (folder / "pipelines").mkdir(parents=True)
    (folder / files.BASE).write_text(json.dumps(PARAMETERS))
    for name in ENVIRONMENTS:
        (folder / f"{name}.json").write_text("{}")
    return folder


@contextmanager
def inside(project: Path) -> Iterator[None]:
    """Use a folder of `write_project` as the project of this process."""
    infra, jobs = project / "infra", project / "spark_jobs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "PARAMETERS", infra / "parameters")
        patch.setattr(files, "FOLDER", project / "params")
        patch.setattr(spark_code, "FOLDER", jobs)
        patch.setattr(sample_data, "FOLDER", jobs / "sample_data")
        patch.setattr(pipelines, "__path__", [str(project / "pipelines")])
        # An existing entry is not imported.
        patch.setitem(sys.modules, f"{pipelines.__name__}.{DEFAULT_PIPELINE}", FIRST.module)
        patch.setattr(sweep, "INFRA", infra)
        for function in vars(configuration).values():
            defaults = getattr(function, "__defaults__", None) or ()
            if configuration.INFRA in defaults:
                replaced = tuple(infra if value == configuration.INFRA else value for value in defaults)
                patch.setattr(function, "__defaults__", replaced)
        yield
