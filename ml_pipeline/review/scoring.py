"""Checks whether the latest execution of a scoring pipeline published its predictions."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from ml_pipeline.executions.executions import list_executions, take_snapshot
from ml_pipeline.executions.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_sagemaker import SageMakerClient

_LONGEST_REASON = 2000


@dataclass(frozen=True)
class FailedStep:
    """A step that failed."""

    name: str
    reason: str
    """The failure reason. For a Fail step, it contains column, measure, value and limit of the drift."""


@dataclass(frozen=True)
class Scoring:
    """A scoring pipeline, and its latest execution if that failed."""

    name: str
    execution: str = ""
    started: datetime | None = None
    failed: tuple[FailedStep, ...] = ()

    @property
    def published(self) -> bool:
        """Whether the latest execution published its predictions, or there is none."""
        return not self.execution


def scoring_of(sagemaker: "SageMakerClient", target: Target) -> Scoring:
    """Return the latest execution of a pipeline if it failed. Running and stopped executions are ignored.

    The reasons are read from the steps, because drift.json can be read only from inside the VPC.
    """
    try:
        for execution in list_executions(sagemaker, target):
            if execution.active or execution.status == "Stopped":
                continue
            if execution.status == "Succeeded":
                break
            snapshot = take_snapshot(sagemaker, execution.arn)
            failed = tuple(
                FailedStep(step.name, step.failure_reason[:_LONGEST_REASON])
                for step in snapshot.steps
                if step.status == "Failed"
            ) or (FailedStep("", snapshot.failure_reason[:_LONGEST_REASON]),)
            return Scoring(target.name, execution.arn, execution.started, failed)
    except UserError:  # the pipeline is not registered, which is reported as its drift
        pass
    return Scoring(target.name)


def as_document(scoring: Scoring) -> dict[str, Any]:
    """Return the result as a JSON document."""
    started = scoring.started.isoformat() if scoring.started else ""
    return {"published": scoring.published, **asdict(scoring), "started": started}


def lines(scoring: Scoring, target: Target) -> "Iterator[str]":
    """Yield the result as lines of text."""
    if scoring.published:
        yield f"{target.environment}: {scoring.name} has no failed execution since its last successful one."
        return
    yield f"{target.environment}: {scoring.name} published nothing: {scoring.execution}"
    for step in scoring.failed:
        yield f"  {f'step {step.name}: ' if step.name else ''}{step.reason or 'SageMaker gives no reason'}"
    yield f"  Show the execution with: {target.command('status')}"
