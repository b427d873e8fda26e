"""The processing jobs of an execution, one for each attempt at a step."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ml_pipeline.executions.processing_jobs import describe_job

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

_STEP_CHARACTERS = 20
"""Of a step's name in the name of its job."""


@dataclass(frozen=True)
class Job:
    """A processing job."""

    name: str
    status: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    instance_type: str
    instances: int
    failure_reason: str = ""


def list_jobs(sagemaker: "SageMakerClient", execution_id: str, since: datetime) -> list[Job]:
    """Return the processing jobs of an execution in the order of their creation.

    Raises:
        ClientError: they may not be read.
    """
    pages = sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains=f"-{execution_id}-",
        CreationTimeAfter=since,
        SortBy="CreationTime",
        SortOrder="Ascending",
    )
    return [
        job_of(describe_job(sagemaker, entry["ProcessingJobArn"]))
        for page in pages
        for entry in page["ProcessingJobSummaries"]
    ]


def job_of(description: Mapping[str, Any]) -> Job:
    """Return the job that `DescribeProcessingJob` describes."""
    cluster = description["ProcessingResources"]["ClusterConfig"]
    return Job(
        description["ProcessingJobName"],
        description["ProcessingJobStatus"],
        description["CreationTime"],
        description.get("ProcessingStartTime"),
        description.get("ProcessingEndTime"),
        cluster["InstanceType"],
        cluster["InstanceCount"],
        description.get("FailureReason", ""),
    )


def jobs_of_step(jobs: Sequence[Job], execution_id: str, step: str, last_job: str) -> tuple[Job, ...]:
    """Return the jobs of a step: SageMaker names them after the execution and the step.

    Args:
        jobs: of the execution.
        execution_id: the last part of its ARN.
        step: the name of the step.
        last_job: the name of the job that SageMaker gives for the step, or an empty string.
    """
    readable = re.sub(r"[^A-Za-z0-9-]", "-", step[:_STEP_CHARACTERS])
    own = re.compile(rf"pipelines-{re.escape(execution_id)}-{re.escape(readable)}-[A-Za-z0-9]+")
    return tuple(job for job in jobs if job.name == last_job or own.fullmatch(job.name))
