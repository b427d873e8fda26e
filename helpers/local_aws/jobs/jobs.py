"""The jobs of one kind in one region, and the operations that all kinds share."""

import threading
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ApiError, Request, Response
from helpers.local_aws.api.tags import Tags
from helpers.local_aws.jobs.job import Job, job_arn
from helpers.local_aws.jobs.runner import JobRunner

KindOfJob = TypeVar("KindOfJob", bound=Job)


class Jobs(Generic[KindOfJob]):
    """Describes, lists, stops and stores jobs; each kind implements how a job is created and run.

    Attributes:
        kind: the API's name, such as `ProcessingJob`.
        arn_kind: the name in ARNs, such as `processing-job`.
        listing: how jobs are listed.
        not_found: the code and the message of the error for a job that does not exist; `{name}` is its name.
    """

    kind: ClassVar[str]
    arn_kind: ClassVar[str]
    listing: ClassVar[Listing]
    not_found: ClassVar[tuple[str, str]]

    def __init__(self, runner: JobRunner, region: str):
        self._runner = runner
        self._region = region
        self._lock = threading.Lock()
        self._jobs: dict[str, KindOfJob] = {}
        """By name in lower case: ARNs do not preserve case, and their last part is used as a name."""

    def operations(self) -> Operations:
        """Return the operations by name."""
        name = members(f"{self.kind}Name")
        return {
            f"Describe{self.kind}": Operation(lambda request: self.find(request).description(), name),
            f"Stop{self.kind}": Operation(self.stop, name),
            f"List{self.kind}s": Operation(self.list_jobs, self.listing.members),
        }

    def close(self, timeout: float) -> None:
        """Stop all jobs, and wait at most this many seconds for each to end."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.stop()
        for job in jobs:
            job.done.wait(timeout)

    def state(self) -> Mapping[str, KindOfJob]:
        """Return the jobs, for another server to restore."""
        return self._jobs

    def restore(self, state: Mapping[str, KindOfJob]) -> None:
        """Restore the jobs of a stopped server; those that were running have failed."""
        self._jobs.update(state)
        for job in self._jobs.values():
            job.interrupt_by_failure_of_host()

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start its job.

        Args:
            request: the API request.
            caller: ARN of the calling role; None for the account itself.

        Raises:
            ApiError: the request is rejected.
        """
        raise NotImplementedError

    def stop(self, request: Request) -> Response:
        """Stop a job."""
        self.find(request).stop()
        return {}

    def list_jobs(self, request: Request) -> Response:
        """Return a page of the jobs of the region."""
        return self.listing.page([job.summary() for job in list(self._jobs.values())], request)

    def find(self, request: Request) -> KindOfJob:
        """Return the job that a request names.

        Raises:
            ApiError: the job does not exist.
        """
        name = request[f"{self.kind}Name"]
        try:
            return self._jobs[name.lower()]
        except KeyError:
            code, message = self.not_found
            raise ApiError(code, message.format(name=name)) from None

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the job with an ARN, or None."""
        return next((job.tags for job in list(self._jobs.values()) if job.arn == arn.lower()), None)

    def _arn(self, name: str) -> str:
        return job_arn(self.arn_kind, name, self._region)

    def _add(self, job: KindOfJob) -> None:
        """Add a job; raise an ApiError if its name is already used."""
        with self._lock:
            if job.name.lower() in self._jobs:
                raise ApiError("ResourceInUse", f"Job name must be unique; there is a job named {job.name}")
            self._jobs[job.name.lower()] = job

    def _remove(self, job: KindOfJob) -> None:
        with self._lock:
            del self._jobs[job.name.lower()]
