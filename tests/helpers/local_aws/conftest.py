"""Pipelines and jobs for tests: small scripts in the image of plain Python, which start quickly."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.helpers.local_aws.training_jobs import TrainingJobs, table

PYTHON_IMAGE = "236514542706.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"

Step = dict[str, Any]


def job_request(role: str, script: str = "print('hello')", **members: Any) -> dict[str, Any]:
    """The request of CreateProcessingJob without the name, for a job that runs a line of Python."""
    return {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": PYTHON_IMAGE, "ContainerEntrypoint": ["python3", "-c", script]},
        "RoleArn": role,
        **members,
    }


class Pipelines:
    """Creates pipelines, starts them and waits for them."""

    def __init__(self, aws: boto3.Session, role: str):
        self.sagemaker = aws.client("sagemaker")
        self._role = role

    def create(self, *steps: Step, **members: Any) -> str:
        """Create a pipeline and return its name."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        definition = {"Version": "2020-12-01", "Steps": list(steps), **members}
        self.sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=self._role
        )
        return name

    def start(self, name: str, **request: Any) -> str:
        parameters = [{"Name": key, "Value": value} for key, value in request.pop("parameters", {}).items()]
        started = self.sagemaker.start_pipeline_execution(
            PipelineName=name, PipelineParameters=parameters, **request
        )
        return started["PipelineExecutionArn"]

    def wait(self, arn: str) -> dict[str, Any]:
        """Wait for an execution and return its description."""
        while True:
            execution = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if execution["PipelineExecutionStatus"] not in {"Executing", "Stopping"}:
                return dict(execution)
            time.sleep(0.05)

    def run(self, name: str, **request: Any) -> dict[str, Any]:
        return self.wait(self.start(name, **request))

    def steps(self, arn: str) -> dict[str, Any]:
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}

    def job_of(self, arn: str, step_name: str) -> dict[str, Any]:
        job_arn = self.steps(arn)[step_name]["Metadata"]["ProcessingJob"]["Arn"]
        return dict(self.sagemaker.describe_processing_job(ProcessingJobName=job_arn.rsplit("/", 1)[1]))


@pytest.fixture(scope="session")
def pipelines(aws: boto3.Session, role: str) -> Pipelines:
    return Pipelines(aws, role)


@pytest.fixture(scope="session")
def job(role: str) -> Callable[..., dict[str, Any]]:
    """Returns the request of a job that runs a line of Python."""
    return lambda script="print('hello')", **members: job_request(role, script, **members)


@pytest.fixture
def bucket(aws: boto3.Session) -> str:
    """The name of a new bucket."""
    name = f"test-{uuid.uuid4().hex}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def training_jobs(aws: boto3.Session, role: str, bucket: str) -> TrainingJobs:
    """Training jobs with a table in `train/`."""
    jobs = TrainingJobs(aws, role, bucket)
    jobs.put("train/part-0.csv", table())
    return jobs
