"""A job: its request, and what has become of it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from helpers.local_aws.api.response import ACCOUNT, Response
from helpers.local_aws.api.tags import Tags

JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
MAX_REASON = 1024
"""Characters of FailureReason and ExitMessage that the API returns."""
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
HOST_FAILURE = (
    "InternalServerError: We encountered an internal error. Please try again. "
    "(The embedded AWS ended while this ran.)"
)
"""AWS's words, with the cause that is known here."""


def job_arn(kind: str, name: str, region: str) -> str:
    """Return the ARN of a job of a kind, as `processing-job`; in lower case, as on AWS."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name.lower()}"


@dataclass
class Job:
    """A job of any kind; each kind adds how its API describes it."""

    name: str
    arn: str
    request: Mapping[str, Any]
    tags: Tags = field(default_factory=list)
    status: JobStatus = "InProgress"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str | None = None
    failure_type: str | None = None
    """The exception type that retry policies look at, as `SageMaker.JOB_INTERNAL_ERROR`."""
    exit_message: str | None = None
    interrupt: threading.Event = field(default_factory=threading.Event)
    """Set to end the container, for whatever reason."""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def time_limit(self) -> int | None:
        """Seconds after which the job is ended."""
        limit: int | None = (self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
        return limit

    @property
    def role_arn(self) -> str:
        """ARN of the role that the job acts with."""
        return str(self.request["RoleArn"])

    def description(self) -> Response:
        """Return the job as the API describes it."""
        raise NotImplementedError

    def properties(self) -> Response:
        """Return what the steps of a pipeline can refer to."""
        return self.description()

    def summary(self) -> Response:
        """Return the job as the API lists it."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the job as the API's stop operation does; a job that has finished stays as it is."""
        if self.status == "InProgress":
            self.status = "Stopping"
            self.interrupt.set()

    def end(self, status: JobStatus, reason: str | None = None, failure_type: str | None = None) -> None:
        """Give the job its last status; one that was asked to stop is Stopped, however it ended."""
        stopped = self.status == "Stopping"
        self.failure_reason = None if stopped or reason is None else reason[:MAX_REASON]
        self.failure_type = None if stopped else failure_type
        self.ended = datetime.now(UTC)
        self.status = "Stopped" if stopped else status
        self.done.set()

    def interrupt_by_failure_of_host(self) -> None:
        """End a job that ran when the server died, as a failure of AWS's host does; others stay."""
        if self.status in {"InProgress", "Stopping"}:
            self.end("Failed", HOST_FAILURE, JOB_INTERNAL_ERROR)
        self.done.set()
