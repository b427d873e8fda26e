"""Starts, reads and stops the executions of a pipeline, one at a time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from helpers.errors import UserError
from ml_pipeline.executions.inputs import fingerprints
from ml_pipeline.executions.jobs import job_arn_of
from ml_pipeline.executions.parameters import commit_parameter
from ml_pipeline.executions.registry_parameters import registry_parameters  # part: model life cycle
from ml_pipeline.executions.target import Target
from ml_pipeline.steps.cache import FORCE_RUN_PARAMETER

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker import SageMakerClient

    from ml_pipeline.registry import Package  # part: model life cycle

ACTIVE = frozenset({"Executing", "Stopping"})
MODEL_PACKAGE = "Model package"
PAGE_SIZE = 100
"""The maximum of the service; the default is ten per page."""
LONGEST_EXECUTION = timedelta(days=29)
"""SageMaker stops an execution after 672 hours; one day more, because clocks differ.

https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-feature-processor-quotas.html
"""

_RESULTS = {
    ("Model", "Arn"): "Model",
    ("RegisterModel", "Arn"): MODEL_PACKAGE,
    ("Condition", "Outcome"): "Conditions hold",
}
"""The members of a step's metadata with its result, and their names."""


@dataclass(frozen=True)
class Execution:
    """An execution in the list of a pipeline's executions."""

    arn: str
    status: str
    started: datetime

    @property
    def active(self) -> bool:
        """Whether it is still running."""
        return self.status in ACTIVE


@dataclass(frozen=True)
class Step:
    """The current state of a step in an execution."""

    name: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str = ""
    reused_from: str = ""
    """ARN of the execution whose cached result was reused."""
    job_arn: str = ""
    """ARN of its job, if it has started one."""
    results: tuple[tuple[str, str], ...] = ()
    """The result of a step without a job, by kind: the ARN of a model, or whether conditions are met."""
    attempts: int = 1


@dataclass(frozen=True)
class Snapshot:
    """An execution with its steps at a point in time."""

    arn: str
    status: str
    failure_reason: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def over(self) -> bool:
        """Whether its status is final."""
        return self.status not in ACTIVE


def is_missing(error: ClientError) -> bool:
    """Return whether an error means that the pipeline does not exist."""
    details = error.response["Error"]
    return details["Code"] == "ResourceNotFound" or "Could not find pipeline" in details.get("Message", "")


def list_executions(
    sagemaker: "SageMakerClient", target: Target, since: datetime | None = None
) -> Iterator[Execution]:
    """Yield the executions of a pipeline, newest first; pages are read on demand.

    Args:
        sagemaker: a client.
        target: the pipeline.
        since: leaves out executions that were created earlier.

    Raises:
        UserError: the pipeline does not exist.
    """
    after: dict[str, Any] = {"CreatedAfter": since} if since else {}
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=target.name,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": PAGE_SIZE},
        **after,
    )
    try:
        for page in pages:
            for entry in page["PipelineExecutionSummaries"]:
                yield Execution(
                    entry["PipelineExecutionArn"], entry["PipelineExecutionStatus"], entry["StartTime"]
                )
    except ClientError as error:
        if is_missing(error):
            raise _no_pipeline(target) from error
        raise


def active_executions(sagemaker: "SageMakerClient", target: Target) -> list[Execution]:
    """Return the running executions, newest first.

    Raises:
        UserError: the pipeline does not exist.
    """
    return [each for each in _recent(sagemaker, target) if each.active]


def _recent(sagemaker: "SageMakerClient", target: Target) -> list[Execution]:
    """Return the executions that are recent enough to be still running."""
    return list(list_executions(sagemaker, target, datetime.now(UTC) - LONGEST_EXECUTION))


def first_in_line(executions: Sequence[Execution], own: str) -> Execution | None:
    """Return the active execution that started before ours, or None if ours is first.

    For executions that start at the same time, the ARN decides, so that all callers get the same result.
    """
    in_order = sorted(executions, key=lambda execution: (execution.started, execution.arn))
    first = next((execution for execution in in_order if execution.active or execution.arn == own), None)
    return first if first and first.arn != own else None


def start(
    session: "Session",
    target: Target,
    *,
    use_cache: bool = True,
    package: "Package | None" = None,  # part: model life cycle
) -> str:
    """Start an execution and return its ARN.

    Args:
        session: session in the region of the pipeline.
        target: the pipeline.
        use_cache: whether to reuse the results of earlier executions.
        package: the model version to score with; by default, the active one.

    Raises:
        UserError: the pipeline does not exist, an input has no data, a prerequisite is missing, or another
            execution of the pipeline is running. Two would write to the same outputs; of two that start at
            the same time, the later one is stopped here.
    """
    sagemaker = session.client("sagemaker")
    running = active_executions(sagemaker, target)
    if running:
        raise UserError(_busy(running[-1]), hint=_wait_or_stop(target))
    pipeline = sagemaker.describe_pipeline(PipelineName=target.name)
    definition = json.loads(pipeline["PipelineDefinition"])

    @cache
    def data() -> dict[str, str]:
        return fingerprints(session.client("s3"), definition, target)

    values = commit_parameter(session, pipeline["PipelineArn"], definition)
    values |= registry_parameters(definition, target, data, package)  # part: model life cycle
    values |= data()
    if not use_cache:
        values[FORCE_RUN_PARAMETER] = uuid4().hex
    arn = sagemaker.start_pipeline_execution(
        PipelineName=target.name,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in values.items()],
        ClientRequestToken=str(uuid4()),
    )["PipelineExecutionArn"]
    try:
        earlier = first_in_line(_recent(sagemaker, target), arn)
    except BaseException:
        stop(sagemaker, arn)  # the caller would not know its ARN, nor whether it is alone
        raise
    if earlier:
        stop(sagemaker, arn)
        raise UserError(f"{_busy(earlier)}. It started first; {arn} was stopped", hint=_wait_or_stop(target))
    return arn


def stop(sagemaker: "SageMakerClient", arn: str) -> bool:
    """Request to stop an execution; return False if it has already finished."""
    try:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=str(uuid4()))
    except ClientError:
        # The API has different errors if there is nothing to stop; the status is unambiguous.
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status == "Executing":
            raise
        return status in ACTIVE
    return True


def take_snapshot(sagemaker: "SageMakerClient", arn: str) -> Snapshot:
    """Return an execution with its steps in order."""
    # Steps are read after the status: the steps of a finished execution are finished.
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
    """Return a step from an entry of `ListPipelineExecutionSteps`."""
    return Step(
        name=entry["StepName"],
        status=entry["StepStatus"],
        started=entry.get("StartTime"),
        ended=entry.get("EndTime"),
        failure_reason=entry.get("FailureReason", ""),
        reused_from=entry.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", ""),
        job_arn=job_arn_of(entry.get("Metadata", {})),
        results=tuple(_results(entry.get("Metadata", {}))),
        attempts=entry.get("AttemptCount", 1),
    )


def _results(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for (member, key), name in _RESULTS.items():
        if found := metadata.get(member, {}).get(key):
            yield name, str(found)


def newest(sagemaker: "SageMakerClient", target: Target) -> str:
    """Return the ARN of the latest execution.

    Raises:
        UserError: there are no executions.
    """
    for execution in list_executions(sagemaker, target):
        return execution.arn
    raise UserError(f"{target.name} was never executed", hint=f"Start it with: {target.command('start')}")


def select_steps(snapshot: Snapshot, step: str | None) -> Snapshot:
    """Return an execution with only one of its steps, or with all if none is given.

    Raises:
        UserError: the execution has no such step.
    """
    if step is None:
        return snapshot
    chosen = tuple(each for each in snapshot.steps if each.name == step)
    if not chosen:
        known = ", ".join(each.name for each in snapshot.steps) or "none yet"
        raise UserError(
            f"unknown step {step!r} of {snapshot.arn}; expected one of {known}",
            hint="Name one of them, or none for all: STEP=<name>",
        )
    return replace(snapshot, steps=chosen)


def _no_pipeline(target: Target) -> UserError:
    return UserError(
        f"There is no pipeline {target.name}", hint=f"Create it with: {target.command('upsert')}"
    )


def _busy(running: Execution) -> str:
    return f"Another execution is {running.status}: {running.arn}"


def _wait_or_stop(target: Target) -> str:
    return f"Wait for it, or stop it with: {target.command('stop')}"
