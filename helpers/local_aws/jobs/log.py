"""A job's output on its way to CloudWatch Logs, where SageMaker puts it."""

import queue
import threading
import time
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from helpers.local_aws.containers.container_job import FIRST_HOST

BATCH_LINES = 1000
MAX_LINE_BYTES = 256 * 1024 - 26
"""PutLogEvents takes events of 256 KiB, of which 26 bytes are its own."""


class JobLog:
    """Takes lines as a job prints them and puts them in batches, so that a log can be read as it grows."""

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
        """Add a line of an instance to its stream; it is visible in CloudWatch within a third of a second."""
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
        """Return the name of an instance's stream, which is created for its first line."""
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
                # An empty message is rejected by the API.
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
    """Return the time as CloudWatch Logs counts it, in milliseconds."""
    return int(time.time() * 1000)
