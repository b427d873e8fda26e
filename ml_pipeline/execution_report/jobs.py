"""Finds the jobs of an execution: one for each attempt of a step."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ml_pipeline.executions.executions import Step
from ml_pipeline.executions.jobs import JOB_KINDS, Job, describe_job, list_jobs

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

_STEP_CHARACTERS = 20
"""Number of characters of a step's name that SageMaker includes in the name of its job."""


def jobs_of_execution(
    sagemaker: "SageMakerClient", execution_id: str, since: datetime, steps: Sequence[Step]
) -> list[Job]:
    """Return the jobs of an execution in the order of their creation.

    Args:
        sagemaker: a SageMaker client.
        execution_id: the last part of the execution's ARN.
        since: the time when the execution was started.
        steps: the steps of the execution. Only their kinds of jobs are listed, because you may not have
            permission to list others.

    Raises:
        ClientError: you do not have permission to read the jobs.
    """
    found = (
        describe_job(sagemaker, arn)
        for kind in JOB_KINDS
        if any(kind.is_of(step.job_arn) for step in steps)
        for arn in list_jobs(sagemaker, kind, execution_id, since)
    )
    return sorted(found, key=lambda job: job.created)


def jobs_of_step(jobs: Sequence[Job], execution_id: str, step: str, last_job: str) -> tuple[Job, ...]:
    """Return the jobs of a step. SageMaker names them pipelines-<execution id>-<step>-<random>.

    Args:
        jobs: the jobs of the execution.
        execution_id: the last part of the execution's ARN.
        step: the name of the step.
        last_job: the name of the job that SageMaker lists for the step, or an empty string.
    """
    readable = re.sub(r"[^A-Za-z0-9-]", "-", step[:_STEP_CHARACTERS])
    own = re.compile(rf"pipelines-{re.escape(execution_id)}-{re.escape(readable)}-[A-Za-z0-9]+")
    return tuple(job for job in jobs if job.name == last_job or own.fullmatch(job.name))
