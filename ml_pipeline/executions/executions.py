"""Executions of the pipeline: one at a time, started, read and stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.executions.invocation import invocation
from ml_pipeline.pipeline import FINGERPRINT_PARAMETER
from ml_pipeline.releases.registration import is_missing

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

ACTIVE = frozenset({"Executing", "Stopping"})


@dataclass(frozen=True)
class Execution:
    """An execution of a pipeline in the list of its executions."""

    arn: str
    status: str
    started: datetime

    @property
    def active(self) -> bool:
        """Whether it still runs."""
        return self.status in ACTIVE


@dataclass(frozen=True)
class Step:
    """A step of an execution as it stands."""

    name: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str = ""
    reused_from: str = ""
    """The execution whose result the cache gave."""
    job: str = ""
    """The name of its processing job, once there is one."""
    attempts: int = 1


@dataclass(frozen=True)
class Snapshot:
    """An execution with its steps at one moment."""

    arn: str
    status: str
    failure_reason: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in ACTIVE


def list_executions(sagemaker: "SageMakerClient", pipeline: str, environment: Environment) -> list[Execution]:
    """Return the executions of a pipeline, the newest first.

    Raises:
        UserError: there is no such pipeline.
    """
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        return [
            Execution(entry["PipelineExecutionArn"], entry["PipelineExecutionStatus"], entry["StartTime"])
            for page in pages
            for entry in page["PipelineExecutionSummaries"]
        ]
    except ClientError as error:
        if is_missing(error):
            mend = invocation(environment, "upsert")
            raise UserError(f"There is no pipeline {pipeline}. Create it: {mend}") from error
        raise


def first_in_line(executions: Sequence[Execution], own: str) -> Execution | None:
    """Return the active execution that started before ours, or None when it is our turn.

    Of executions that start at the same moment, the ARN decides: all starters come to the same answer.
    """
    in_order = sorted(executions, key=lambda execution: (execution.started, execution.arn))
    first = next((execution for execution in in_order if execution.active or execution.arn == own), None)
    return first if first and first.arn != own else None


def start(
    sagemaker: "SageMakerClient",
    pipeline: str,
    input_fingerprint: str,
    environment: Environment,
    *,
    use_cache: bool = True,
) -> str:
    """Start an execution and return its ARN.

    Args:
        sagemaker: a client.
        pipeline: the name of the pipeline.
        input_fingerprint: says which data it is about.
        environment: for the commands that messages name.
        use_cache: whether the result of an earlier execution may be reused.

    Raises:
        UserError: there is no such pipeline, or another execution of it runs. Two would write to the
            same output; of two that start at the same time, the later one is stopped here.
    """
    running = [e for e in list_executions(sagemaker, pipeline, environment) if e.active]
    if running:
        raise UserError(_busy(running[-1], environment))
    # There is no switch for the cache in the API; a fingerprint that never was matches nothing.
    value = input_fingerprint if use_cache else f"{input_fingerprint}-{uuid4().hex}"
    arn = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[{"Name": FINGERPRINT_PARAMETER, "Value": value}],
        ClientRequestToken=str(uuid4()),
    )["PipelineExecutionArn"]
    try:
        earlier = first_in_line(list_executions(sagemaker, pipeline, environment), arn)
    except BaseException:
        stop(sagemaker, arn)  # nobody would know of it, nor whether it is alone
        raise
    if earlier:
        stop(sagemaker, arn)
        raise UserError(f"{_busy(earlier, environment)} It started first; {arn} was stopped.")
    return arn


def stop(sagemaker: "SageMakerClient", arn: str) -> bool:
    """Ask an execution to stop; return False when it was over already."""
    try:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=str(uuid4()))
    except ClientError:
        # The API tells in different words that there is nothing to stop; the status tells it plainly.
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status == "Executing":
            raise
        return status in ACTIVE
    return True


def take_snapshot(sagemaker: "SageMakerClient", arn: str) -> Snapshot:
    """Return an execution with its steps, the first first."""
    # The steps are read after the status: an execution that is over has steps that are over.
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return Snapshot(
        arn,
        execution["PipelineExecutionStatus"],
        execution.get("FailureReason", ""),
        tuple(step_of(entry) for page in pages for entry in page["PipelineExecutionSteps"]),
    )


def step_of(entry: Mapping[str, Any]) -> Step:
    """Return a step of `ListPipelineExecutionSteps`."""
    job_arn = entry.get("Metadata", {}).get("ProcessingJob", {}).get("Arn", "")
    return Step(
        name=entry["StepName"],
        status=entry["StepStatus"],
        started=entry.get("StartTime"),
        ended=entry.get("EndTime"),
        failure_reason=entry.get("FailureReason", ""),
        reused_from=entry.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", ""),
        job=job_arn.rsplit("/", 1)[-1],
        attempts=entry.get("AttemptCount", 1),
    )


def _busy(running: Execution, environment: Environment) -> str:
    return (
        f"Another execution is {running.status}: {running.arn}. "
        f"Wait for it, or stop it: {invocation(environment, 'stop', '--execution', running.arn)}."
    )
