"""Runs jobs of all kinds, each in a thread and a folder, up to the number of slots at the same time."""

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from helpers.errors import UserError
from helpers.local_aws.containers.container_job import ContainerExit, Output, aws_environment
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.jobs.job import JOB_INTERNAL_ERROR, MAX_REASON, Job
from helpers.local_aws.jobs.log import JobLog
from helpers.local_aws.jobs.s3_data import DataError, FolderUpload
from helpers.local_aws.s3_objects import S3Objects
from helpers.local_aws.service_clients import ServiceClients

_UPLOAD_SECONDS = 1.0

_log = logging.getLogger(__name__)


class TimeExceededError(DataError):
    """A job exceeded its time limit."""


@dataclass(frozen=True)
class RunningJob:
    """What a kind of job needs to do its work.

    Attributes:
        root: the folder that represents the container's `/`.
        log: receives each line of output.
        s3: a client with the permissions of the service.
        objects: the objects that the client can read.
        credentials: the credentials of the job's role.
    """

    job: Job
    region: str
    root: Path
    endpoint: str
    log: Output
    s3: Any
    objects: S3Objects
    credentials: Credentials

    def aws_environment(self) -> dict[str, str]:
        """Return the variables that direct the job to the embedded AWS."""
        return aws_environment(self.credentials, self.endpoint, self.region)

    def run(self, container: Callable[[], ContainerExit], outputs: Sequence[FolderUpload]) -> ContainerExit:
        """Run a container within the job's time limit, and upload its outputs.

        Continuous outputs are uploaded during the run and after any result, the others only after success.

        Raises:
            TimeExceededError: the time limit was exceeded.
        """
        with _JobMonitor(self.job, outputs) as monitor:
            exit_ = container()
        for output in outputs:
            if output.continuous or exit_.code == 0:
                output.upload()
        if monitor.timed_out:
            raise TimeExceededError(f"the job ran longer than MaxRuntimeInSeconds ({self.job.time_limit} s)")
        return exit_


Work = Callable[[RunningJob], ContainerExit]
"""The work of a kind of job, from its input data in S3 to its output data in S3."""


class JobRunner:
    """Starts jobs, and monitors each until it ends.

    Args:
        clients: clients of the embedded AWS itself.
        folder: parent of the folders of running jobs.
        slots: how many jobs run at the same time.
        on_change: called when a job has started, and when it has ended.
    """

    def __init__(self, clients: ServiceClients, folder: Path, slots: int, on_change: Callable[[], object]):
        self._clients = clients
        self.on_change = on_change
        self.folder = folder
        self._slots = threading.BoundedSemaphore(slots)

    def start(self, job: Job, region: str, log_group: str, work: Work) -> None:
        """Run a job in the background; `job.done` is set when it has ended."""
        arguments = (job, region, log_group, work)
        threading.Thread(target=self._run, args=arguments, name=job.name, daemon=True).start()

    def _run(self, job: Job, region: str, log_group: str, work: Work) -> None:
        while not self._slots.acquire(timeout=0.2):
            if job.interrupt.is_set():
                job.end("Stopped")
                self.on_change()
                return
        try:
            job.started = datetime.now(UTC)
            self.on_change()
            exit_ = self._run_in_folder(job, region, log_group, work)
            job.exit_message = exit_.message[:MAX_REASON] if exit_.message else None
            if exit_.code:
                job.end("Failed", exit_.message or f"AlgorithmError: , exit code: {exit_.code}")
            else:
                job.end("Completed")
        except (DataError, UserError, ClientError, BotoCoreError, Boto3Error) as error:
            job.end("Failed", f"ClientError: {error}")
        except Exception as error:  # a job must always end
            _log.exception("job %s failed", job.name)
            job.end("Failed", f"InternalServerError: {error!r}", JOB_INTERNAL_ERROR)
        finally:
            self._slots.release()
            self.on_change()

    def _run_in_folder(self, job: Job, region: str, log_group: str, work: Work) -> ContainerExit:
        root = self.folder / region / job.name
        root.mkdir(parents=True)
        try:
            with JobLog(self._clients.of("logs", region), log_group, job.name) as log:
                try:
                    return work(self._running(job, region, root, log.write))
                except Exception as error:
                    log.write(f"{type(error).__name__}: {error}")
                    raise
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _running(self, job: Job, region: str, root: Path, log: Output) -> RunningJob:
        return RunningJob(
            job=job,
            region=region,
            root=root,
            endpoint=self._clients.endpoint,
            log=log,
            s3=self._clients.of("s3", region),
            objects=self._clients.objects(region),
            credentials=self._clients.role_credentials(job.role_arn, region),
        )


class _JobMonitor:
    """Uploads the continuous outputs of a running container, and stops it at its time limit."""

    def __init__(self, job: Job, outputs: Sequence[FolderUpload]):
        self._job = job
        self._outputs = [output for output in outputs if output.continuous]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"{job.name}-monitor", daemon=True)
        self.timed_out = False

    def __enter__(self) -> "_JobMonitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        began, limit = datetime.now(UTC), self._job.time_limit
        while not self._ended.wait(_UPLOAD_SECONDS):
            if limit and (datetime.now(UTC) - began).total_seconds() > limit:
                self.timed_out = True
                self._job.interrupt.set()
            for output in self._outputs:
                output.upload_while_running()
