"""The logs of jobs in CloudWatch."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from helpers.spark.last_exception import last_exception
from ml_pipeline.executions.jobs import PROCESSING, Job, describe_job

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient

LOG_GROUP = PROCESSING.log_group
_SEARCHED_LINES = 4000
"""At the end of a log: more than the exceptions of a failed job take."""


class LogLine(NamedTuple):
    """A line of a job's log."""

    stream: str
    timestamp: int
    text: str


def milliseconds(moment: datetime | None) -> int:
    """Return a time as CloudWatch Logs counts it; none is the beginning."""
    return int(moment.timestamp() * 1000) if moment else 0


def read_lines(
    logs: "CloudWatchLogsClient", job: str, since: int = 0, group: str = LOG_GROUP
) -> Iterator[LogLine]:
    """Yield the log lines of a job of all its instances by their time, from a time on (milliseconds).

    A job that has written nothing yet has none; before the first job there is not even a log group.
    Streams are read one by one: FilterLogEvents needs the right to read the whole group, which all
    environments share.
    """
    streams = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=f"{job}/"
    )
    try:
        names = [stream["logStreamName"] for page in streams for stream in page["logStreams"]]
        of_streams = [_lines_of(logs, group, name, since) for name in names]
        yield from merge(*of_streams, key=lambda line: line.timestamp)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _lines_of(logs: "CloudWatchLogsClient", group: str, stream: str, since: int) -> Iterator[LogLine]:
    """Yield the lines of a stream; it ends where the next token is the one that was sent."""
    page = logs.get_log_events(logGroupName=group, logStreamName=stream, startTime=since, startFromHead=True)
    token = ""
    while page["nextForwardToken"] != token:
        for event in page["events"]:
            yield LogLine(stream, event["timestamp"], event["message"].rstrip())
        token = page["nextForwardToken"]
        page = logs.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            startTime=since,
            startFromHead=True,
            nextToken=token,
        )


def exception_of(lines: Iterable[LogLine]) -> str:
    """Return the exception that ended a job of Spark, as its log shows it: `ValueError: boom`, or nothing."""
    found = last_exception([line.text for line in deque(lines, maxlen=_SEARCHED_LINES)])
    return ": ".join(filter(None, found)) if found else ""


class NewestLine:
    """Remembers how far the logs were read, so that following them reads no line many times."""

    def __init__(self, sagemaker: "SageMakerClient", logs: "CloudWatchLogsClient"):
        self._sagemaker = sagemaker
        self._logs = logs
        self._jobs: dict[str, Job] = {}
        self._last: dict[str, LogLine] = {}

    def of(self, job_arn: str, since: int) -> str:
        """Return the newest line that a job wrote since a time; without the right to read it, none."""
        try:
            job = self._job(job_arn)
            last = self._last.get(job_arn)
            for line in read_lines(
                self._logs, job.name, last.timestamp if last else since, job.kind.log_group
            ):
                self._last[job_arn] = line
        except (ClientError, BotoCoreError):
            return ""  # the line is a convenience: the execution is followed without it
        return self._last[job_arn].text if job_arn in self._last else ""

    def _job(self, arn: str) -> Job:
        if arn not in self._jobs:
            self._jobs[arn] = describe_job(self._sagemaker, arn)
        return self._jobs[arn]
