"""An execution as AWS describes it: its definition, its steps, and their jobs and results."""

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
    """What AWS reports about an execution."""

    description: Mapping[str, Any]
    snapshot: Snapshot
    outcomes: Sequence[StepOutcome]
    definition: Mapping[str, Any]
    """Empty where it may not be read."""
    jobs: Sequence[Job]
    """Of all attempts; of reused results none."""
    missing: tuple[str, ...]
    """What may not be read."""

    @property
    def started(self) -> datetime:
        """When it was started."""
        time: datetime = self.description["CreationTime"]
        return time

    @property
    def modified(self) -> datetime:
        """When its status changed last."""
        time: datetime = self.description["LastModifiedTime"]
        return time

    @property
    def outcome_by_step(self) -> Mapping[str, StepOutcome]:
        """The outcomes of the steps that started."""
        return {outcome.step.name: outcome for outcome in self.outcomes}


def read_execution(session: "Session", arn: str) -> Execution:
    """Read an execution.

    Raises:
        ClientError: the execution does not exist, or it may not be read.
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
        missing.append(f"The dependencies of the steps are not known: their definition: {code}.")
    try:
        own_id, since = arn.rpartition("/")[2], description["CreationTime"]
        jobs = jobs_of_execution(sagemaker, own_id, since, snapshot.steps)
    except ClientError as error:
        jobs = _last_jobs(session, snapshot.steps)
        code = error.response["Error"]["Code"]
        missing.append(f"Earlier attempts are not shown: the list of jobs: {code}.")
    return Execution(
        description, snapshot, read_outcomes(session, snapshot), definition, jobs, tuple(missing)
    )


def _last_jobs(session: "Session", steps: Sequence[Step]) -> list[Job]:
    """Return the job that SageMaker gives for each step, as far as it may be read."""
    jobs = []
    for step in steps:
        if step.job_arn and not step.reused_from:
            try:
                jobs.append(describe_job(session.client("sagemaker"), step.job_arn))
            except ClientError:  # the step's outcome has the reason
                continue
    return jobs
