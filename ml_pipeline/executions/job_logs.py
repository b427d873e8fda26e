"""The logs of processing jobs in CloudWatch."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class LogLine(NamedTuple):
    """A line of a job's log."""

    stream: str
    timestamp: int
    text: str


def milliseconds(moment: datetime | None) -> int:
    """Return a time as CloudWatch Logs counts it; none is the beginning."""
    return int(moment.timestamp() * 1000) if moment else 0


def read_lines(logs: "CloudWatchLogsClient", job: str, since: int = 0) -> Iterator[LogLine]:
    """Yield the log lines of a job, of all its instances, from a time on (milliseconds since 1970).

    A job that has written nothing yet has none; before the first job there is not even a log group.
    """
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job}/", startTime=since
    )
    try:
        for page in pages:
            for event in page["events"]:
                # moto answers with the streams of all jobs, whatever the prefix.
                if event["logStreamName"].startswith(f"{job}/"):
                    yield LogLine(event["logStreamName"], event["timestamp"], event["message"].rstrip())
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


class NewestLine:
    """Remembers how far the logs were read, so that following them reads no line many times."""

    def __init__(self, logs: Any):
        self._logs = logs
        self._last: dict[str, LogLine] = {}

    def of(self, job: str, since: int) -> str:
        """Return the newest line that a job wrote since a time; without the right to read logs, none."""
        last = self._last.get(job)
        try:
            for line in read_lines(self._logs, job, last.timestamp if last else since):
                self._last[job] = line
        except (ClientError, BotoCoreError):
            return ""  # the line is a convenience: the execution is followed without it
        return self._last[job].text if job in self._last else ""
