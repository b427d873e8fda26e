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
"""Lines at the end of a log: more than the exceptions of a failed job need."""


class LogLine(NamedTuple):
    """A line of a job's log."""

    stream: str
    timestamp: int
    text: str


def milliseconds(moment: datetime | None) -> int:
    """Return a time in milliseconds, as in CloudWatch Logs; None is the beginning."""
    return int(moment.timestamp() * 1000) if moment else 0


def read_lines(
    logs: "CloudWatchLogsClient", job: str, since: int = 0, group: str = LOG_GROUP
) -> Iterator[LogLine]:
    """Yield the log lines of a job from all its instances in time order, from a time (milliseconds).

    A job that has written nothing yet has no lines; before the first job, the log group does not exist.
    Streams are read separately: FilterLogEvents needs permission to read the whole group, which all
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
    """Yield the lines of a stream, until the next token equals the current one."""
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
    """Return the exception of a failed Spark job from its log, such as `ValueError: boom`, or ""."""
    found = last_exception([line.text for line in deque(lines, maxlen=_SEARCHED_LINES)])
    return ": ".join(filter(None, found)) if found else ""


class NewestLine:
    """Keeps the position in the logs, so that following them reads no line again."""

    def __init__(self, sagemaker: "SageMakerClient", logs: "CloudWatchLogsClient"):
        self._sagemaker = sagemaker
        self._logs = logs
        self._jobs: dict[str, Job] = {}
        self._last: dict[str, LogLine] = {}

    def of(self, job_arn: str, since: int) -> str:
        """Return the newest line of a job since a time; an empty string without permission to read it."""
        try:
            job = self._job(job_arn)
            last = self._last.get(job_arn)
            for line in read_lines(
                self._logs, job.name, last.timestamp if last else since, job.kind.log_group
            ):
                self._last[job_arn] = line
        except (ClientError, BotoCoreError):
            return ""  # the line is optional: the execution is followed without it
        return self._last[job_arn].text if job_arn in self._last else ""

    def _job(self, arn: str) -> Job:
        if arn not in self._jobs:
            self._jobs[arn] = describe_job(self._sagemaker, arn)
        return self._jobs[arn]
