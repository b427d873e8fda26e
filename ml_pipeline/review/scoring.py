"""Checks whether the latest scoring of an environment published its predictions."""

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
    """Of a Fail step its message: column, measure, value and limit of drift."""


@dataclass(frozen=True)
class Scoring:
    """A pipeline that scores, and its newest execution if that failed."""

    name: str
    execution: str = ""
    started: datetime | None = None
    failed: tuple[FailedStep, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the newest execution published nothing."""
        return bool(self.execution)


def scoring_of(sagemaker: "SageMakerClient", target: Target) -> Scoring:
    """Return how the newest execution of a pipeline ended; one that runs or was stopped does not count.

    Only its steps are read: the data bucket, with drift.json, is read inside the VPC alone.
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
    except UserError:  # it is not registered, which is drift of the pipeline
        pass
    return Scoring(target.name)


def as_document(scoring: Scoring) -> dict[str, Any]:
    """Return it for programs."""
    started = scoring.started.isoformat() if scoring.started else ""
    return {"published": not scoring, **asdict(scoring), "started": started}


def lines(scoring: Scoring, target: Target) -> "Iterator[str]":
    """Yield it for people."""
    if not scoring:
        yield f"{target.environment}: {scoring.name} has no execution that failed since one that published."
        return
    yield f"{target.environment}: {scoring.name} published nothing: {scoring.execution}"
    for step in scoring.failed:
        yield f"  {f'step {step.name}: ' if step.name else ''}{step.reason or 'SageMaker gives no reason'}"
    yield f"  Look at it with: {target.command('status')}"
