"""A job: its request, its status and its result."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from helpers.local_aws.api.response import ACCOUNT, Response
from helpers.local_aws.api.tags import Tags

JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
MAX_REASON = 1024
"""Maximum characters of FailureReason and ExitMessage in the API."""
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
HOST_FAILURE = (
    "InternalServerError: We encountered an internal error. Please try again. "
    "(The embedded AWS ended while this ran.)"
)
"""The message of AWS, with the cause that is known here."""


def job_arn(kind: str, name: str, region: str) -> str:
    """Return the ARN of a job of a kind such as `processing-job`; in lower case, as on AWS."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name.lower()}"


@dataclass
class Job:
    """The base class of all kinds of jobs; each kind adds its API descriptions."""

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
    """The exception type for retry policies, such as `SageMaker.JOB_INTERNAL_ERROR`."""
    exit_message: str | None = None
    interrupt: threading.Event = field(default_factory=threading.Event)
    """Set to end the container for any reason."""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def time_limit(self) -> int | None:
        """Seconds after which the job is stopped."""
        limit: int | None = (self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
        return limit

    @property
    def role_arn(self) -> str:
        """ARN of the job's role."""
        return str(self.request["RoleArn"])

    def description(self) -> Response:
        """Return the job as the API describes it."""
        raise NotImplementedError

    def properties(self) -> Response:
        """Return the properties that pipeline steps can refer to."""
        return self.description()

    def summary(self) -> Response:
        """Return the summary of the job in lists."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the job as the API's stop operation does; do nothing if it has finished."""
        if self.status == "InProgress":
            self.status = "Stopping"
            self.interrupt.set()

    def end(self, status: JobStatus, reason: str | None = None, failure_type: str | None = None) -> None:
        """Set the final status of the job; Stopped if a stop was requested, regardless of the result."""
        stopped = self.status == "Stopping"
        self.failure_reason = None if stopped or reason is None else reason[:MAX_REASON]
        self.failure_type = None if stopped else failure_type
        self.ended = datetime.now(UTC)
        self.status = "Stopped" if stopped else status
        self.done.set()

    def interrupt_by_failure_of_host(self) -> None:
        """Fail a job that was running when the server ended, as for a failure of an AWS host."""
        if self.status in {"InProgress", "Stopping"}:
            self.end("Failed", HOST_FAILURE, JOB_INTERNAL_ERROR)
        self.done.set()
