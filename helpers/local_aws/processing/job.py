"""Processing jobs: what `CreateProcessingJob` starts, from the inputs in S3 to the outputs in S3."""

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from helpers.errors import UserError
from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob
from helpers.local_aws.processing.data import DataError, OutputUpload, download_input, outputs_of
from helpers.local_aws.processing.images import container_of
from helpers.local_aws.processing.log import JobLog
from helpers.local_aws.service_clients import ServiceClients

JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
MAX_REASON = 1024
"""Characters of FailureReason and ExitMessage that the API returns."""
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"


@dataclass
class ProcessingJob:
    """One job: its request, and what has become of it."""

    request: Mapping[str, Any]
    arn: str
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
    def name(self) -> str:
        """The job's name, unique in its account and region."""
        return str(self.request["ProcessingJobName"])

    def stop(self) -> None:
        """End the job as `StopProcessingJob` does; a job that is over stays as it is."""
        if self.status == "InProgress":
            self.status = "Stopping"
            self.interrupt.set()

    def description(self) -> dict[str, Any]:
        """Return the job as `DescribeProcessingJob` does, without members that have no value."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        members = {**request, **self.summary(), "ProcessingStartTime": self.started}
        return {key: value for key, value in members.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """Return the job as `ListProcessingJobs` does."""
        members = {
            "ProcessingJobName": self.name,
            "ProcessingJobArn": self.arn,
            "ProcessingJobStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.ended or self.started or self.created,
            "ProcessingEndTime": self.ended,
            "FailureReason": self.failure_reason,
            "ExitMessage": self.exit_message,
        }
        return {key: value for key, value in members.items() if value is not None}

    def end(self, status: JobStatus, reason: str | None = None, failure_type: str | None = None) -> None:
        """Give the job its last status; one that was asked to stop is Stopped, however it ended."""
        stopped = self.status == "Stopping"
        self.failure_reason = None if stopped or reason is None else reason[:MAX_REASON]
        self.failure_type = None if stopped else failure_type
        self.ended = datetime.now(UTC)
        self.status = "Stopped" if stopped else status
        self.done.set()


class ProcessingJobRunner:
    """Runs each job in a thread and a folder of its own, as many at once as there are slots."""

    def __init__(self, clients: ServiceClients, folder: Path, slots: int):
        self._clients = clients
        self._folder = folder
        self._slots = threading.BoundedSemaphore(slots)

    def start(self, job: ProcessingJob, region: str) -> None:
        """Run a job in the background; `job.done` is set at its end."""
        threading.Thread(target=self._run, args=(job, region), name=job.name, daemon=True).start()

    def _run(self, job: ProcessingJob, region: str) -> None:
        while not self._slots.acquire(timeout=0.2):
            if job.interrupt.is_set():
                job.end("Stopped")
                return
        try:
            job.started = datetime.now(UTC)
            exit_ = self._run_in_folder(job, region)
            job.exit_message = exit_.message[:MAX_REASON] if exit_.message else None
            if exit_.code:
                job.end("Failed", exit_.message or f"AlgorithmError: , exit code: {exit_.code}")
            else:
                job.end("Completed")
        except (DataError, UserError, ClientError, BotoCoreError, Boto3Error) as error:
            job.end("Failed", f"ClientError: {error}")
        except Exception as error:  # a job must come to an end, whatever happens to it
            job.end("Failed", f"InternalServerError: {error!r}", JOB_INTERNAL_ERROR)
        finally:
            self._slots.release()

    def _run_in_folder(self, job: ProcessingJob, region: str) -> ContainerExit:
        root = self._folder / job.name
        root.mkdir(parents=True)
        try:
            with JobLog(self._clients.of("logs", region), job.name) as log:
                try:
                    return self._stage_and_run(job, region, root, log.write)
                except Exception as error:
                    log.write(f"{type(error).__name__}: {error}")
                    raise
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _stage_and_run(
        self, job: ProcessingJob, region: str, root: Path, log: Callable[[str], None]
    ) -> ContainerExit:
        run = container_of(job.request)
        if run is None:
            raise DataError("its image is not executed here")
        s3 = self._clients.of("s3", region)
        for entry in job.request.get("ProcessingInputs") or []:
            download_input(s3, entry, root)
        outputs = outputs_of(s3, job.request, root)
        container_job = ContainerJob(
            name=job.name,
            root=root,
            description=job.description(),
            endpoint=self._clients.endpoint,
            region=region,
            credentials=self._clients.role_credentials(str(job.request["RoleArn"]), region),
        )
        with _Attendance(job, outputs) as attendance:
            exit_ = run(container_job, log, job.interrupt)
        for output in outputs:
            if output.continuous or exit_.code == 0:
                output.upload()
        if attendance.overdue:
            raise DataError(f"the job ran longer than MaxRuntimeInSeconds ({attendance.limit} s)")
        return exit_


class _Attendance:
    """Attends to a running container: uploads its continuous outputs, and ends it when its time is over."""

    def __init__(self, job: ProcessingJob, outputs: list[OutputUpload]):
        self._job = job
        self._outputs = [output for output in outputs if output.continuous]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._attend, name=f"{job.name}-attendance", daemon=True)
        self.limit: int | None = (job.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
        self.overdue = False

    def __enter__(self) -> "_Attendance":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _attend(self) -> None:
        began = datetime.now(UTC)
        while not self._ended.wait(1):
            if self.limit and (datetime.now(UTC) - began).total_seconds() > self.limit:
                self.overdue = True
                self._job.interrupt.set()
            for output in self._outputs:
                output.upload_while_running()
