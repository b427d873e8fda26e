"""Writes a job's output to CloudWatch Logs, as SageMaker does."""

import queue
import threading
import time
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from helpers.local_aws.containers.container_job import FIRST_HOST

BATCH_LINES = 1000
MAX_LINE_BYTES = 256 * 1024 - 26
"""PutLogEvents accepts events of 256 KiB, including 26 bytes of overhead."""


class JobLog:
    """Receives lines as a job prints them and writes them in batches, so that the log can be followed."""

    def __init__(self, logs: Any, log_group: str, job_name: str):
        self._logs = logs
        self._group = log_group
        self._job = job_name
        self._began = _now()
        self._streams: dict[str, str] = {}
        self._lines: queue.SimpleQueue[tuple[int, str, str] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_batches, name=f"{job_name}-log", daemon=True)

    def __enter__(self) -> "JobLog":
        try:
            self._logs.create_log_group(logGroupName=self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        self._stream(FIRST_HOST)
        self._writer.start()
        return self

    def write(self, line: str, host: str = FIRST_HOST) -> None:
        """Add a line to an instance's log stream; it is visible in CloudWatch within a third of a second."""
        self._lines.put((_now(), line.rstrip("\n"), host))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.put(None)
        self._writer.join()

    def _stream(self, host: str) -> str:
        """Return the name of an instance's log stream, which is created with its first line."""
        if host not in self._streams:
            self._streams[host] = f"{self._job}/{host}-{self._began}"
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._streams[host])
        return self._streams[host]

    def _write_batches(self) -> None:
        ended = False
        while not ended:
            batches: dict[str, list[Any]] = {}
            line = self._lines.get()
            deadline = time.monotonic() + 0.3
            while line is not None:
                moment, text, host = line
                # The API rejects empty messages.
                message = text.encode()[:MAX_LINE_BYTES].decode(errors="ignore") or " "
                batch = batches.setdefault(host, [])
                batch.append({"timestamp": moment, "message": message})
                if len(batch) == BATCH_LINES:
                    break
                try:
                    line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    break
            else:
                ended = True
            for host, batch in batches.items():
                self._logs.put_log_events(
                    logGroupName=self._group, logStreamName=self._stream(host), logEvents=batch
                )


def _now() -> int:
    """Return the current time in milliseconds, as in CloudWatch Logs."""
    return int(time.time() * 1000)
