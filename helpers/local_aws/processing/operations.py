"""The operations on processing jobs."""

import threading
from collections.abc import Callable
from pathlib import Path

from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response, descending, page, within
from helpers.local_aws.processing.images import image_problem
from helpers.local_aws.processing.job import ProcessingJob, ProcessingJobRunner
from helpers.local_aws.service_clients import RoleError, ServiceClients


class ProcessingJobOperations:
    """The processing jobs of one region; methods are operations of the API, in its JSON."""

    def __init__(
        self,
        clients: ServiceClients,
        region: str,
        folder: Path,
        slots: int,
        check_creation: Callable[[Request, str, str | None], None],
    ):
        """Args: check_creation: raises ApiError for a request, a region and the ARN of the role that asks."""
        self._clients = clients
        self._region = region
        self._check_creation = check_creation
        self._runner = ProcessingJobRunner(clients, folder, slots)
        self._lock = threading.Lock()
        self._jobs: dict[str, ProcessingJob] = {}

    def close(self, timeout: float) -> None:
        """Stop all jobs, and wait some seconds for the end of each."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.stop()
        for job in jobs:
            job.done.wait(timeout)

    def create_processing_job(self, request: Request, caller: str | None = None) -> Response:
        """Start a job, after the checks that the service makes at once.

        Args:
            request: of the API.
            caller: ARN of the role that asks; None asks with the rights of the account itself.
        """
        name = str(request["ProcessingJobName"])
        problem = image_problem(request)
        if problem:
            raise ApiError("ValidationException", problem)
        try:
            self._clients.check_role(str(request["RoleArn"]), self._region)
        except RoleError as error:
            raise ApiError("ValidationException", str(error)) from error
        self._check_creation(request, self._region, caller)
        job = ProcessingJob(request, f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:processing-job/{name}")
        with self._lock:
            if name in self._jobs:
                raise ApiError("ResourceInUse", f"Job name must be unique; there is a job named {name}")
            self._jobs[name] = job
        self._runner.start(job, self._region)
        return {"ProcessingJobArn": job.arn}

    def describe_processing_job(self, request: Request) -> Response:
        """Return a job with its request."""
        return self.job(request).description()

    def stop_processing_job(self, request: Request) -> Response:
        """Ask a job to stop."""
        self.job(request).stop()
        return {}

    def list_processing_jobs(self, request: Request) -> Response:
        """Return the jobs of the region, by default the newest first."""
        sort_key = {"Name": "ProcessingJobName", "Status": "ProcessingJobStatus"}.get(
            request.get("SortBy", ""), "CreationTime"
        )
        jobs = [
            summary
            for summary in (job.summary() for job in list(self._jobs.values()))
            if request.get("NameContains", "") in summary["ProcessingJobName"]
            and request.get("StatusEquals", summary["ProcessingJobStatus"]) == summary["ProcessingJobStatus"]
            and within(summary["CreationTime"], request, "CreationTimeAfter", "CreationTimeBefore")
            and within(
                summary["LastModifiedTime"], request, "LastModifiedTimeAfter", "LastModifiedTimeBefore"
            )
        ]
        jobs.sort(key=lambda summary: str(summary[sort_key]), reverse=descending(request))
        return page(jobs, request, "ProcessingJobSummaries")

    def job(self, request: Request) -> ProcessingJob:
        """Return the job that a request names."""
        try:
            return self._jobs[request["ProcessingJobName"]]
        except KeyError:
            raise ApiError(
                "ResourceNotFound", f"Could not find requested job with name: {request['ProcessingJobName']}"
            ) from None
