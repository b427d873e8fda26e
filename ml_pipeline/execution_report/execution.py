"""Reads an execution from AWS: its definition, its steps, and their jobs and results."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ml_pipeline.execution_report.jobs import jobs_of_execution
from ml_pipeline.executions.executions import Snapshot, Step, take_snapshot
from ml_pipeline.executions.jobs import Job, describe_job
from ml_pipeline.executions.outcome import StepOutcome, read_outcomes

if TYPE_CHECKING:
    from boto3 import Session


@dataclass(frozen=True)
class Execution:
    """An execution, as described by AWS."""

    description: Mapping[str, Any]
    snapshot: Snapshot
    outcomes: Sequence[StepOutcome]
    definition: Mapping[str, Any]
    """The pipeline definition; empty if it cannot be read."""
    jobs: Sequence[Job]
    """The jobs of all attempts, without jobs of reused results."""
    missing: tuple[str, ...]
    """What cannot be read, with reasons."""

    @property
    def started(self) -> datetime:
        """The time when the execution was started."""
        time: datetime = self.description["CreationTime"]
        return time

    @property
    def modified(self) -> datetime:
        """The time of the last change of the status."""
        time: datetime = self.description["LastModifiedTime"]
        return time

    @property
    def outcome_by_step(self) -> Mapping[str, StepOutcome]:
        """The outcomes of started steps, by step name."""
        return {outcome.step.name: outcome for outcome in self.outcomes}


def read_execution(session: "Session", arn: str) -> Execution:
    """Read an execution.

    Raises:
        ClientError: the execution does not exist, or you do not have permission to read it.
    """
    sagemaker = session.client("sagemaker")
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    snapshot = take_snapshot(sagemaker, arn)
    missing = []
    definition: Mapping[str, Any] = {}
    jobs: list[Job] = []
    try:
        answer = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
        definition = json.loads(answer["PipelineDefinition"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        missing.append(f"Dependencies of steps are not shown: the definition cannot be read: {code}.")
    try:
        own_id, since = arn.rpartition("/")[2], description["CreationTime"]
        jobs = jobs_of_execution(sagemaker, own_id, since, snapshot.steps)
    except ClientError as error:
        jobs = _last_jobs(session, snapshot.steps)
        code = error.response["Error"]["Code"]
        missing.append(f"Earlier attempts are not shown: jobs cannot be listed: {code}.")
    return Execution(
        description, snapshot, read_outcomes(session, snapshot), definition, jobs, tuple(missing)
    )


def _last_jobs(session: "Session", steps: Sequence[Step]) -> list[Job]:
    """Return the job that SageMaker lists for each step, without those that cannot be read."""
    jobs = []
    for step in steps:
        if step.job_arn and not step.reused_from:
            try:
                jobs.append(describe_job(session.client("sagemaker"), step.job_arn))
            except ClientError:  # the outcome of the step contains the reason
                continue
    return jobs
