import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ml_pipeline.executions.job_logs import LOG_GROUP, LogLine, NewestLine, milliseconds, read_lines

NOW = int(time.time() * 1000)


@pytest.fixture
def job(stack: boto3.Session) -> str:
    """A job with one line in the log stream of each of its two instances."""
    logs, name = stack.client("logs"), f"Job-{uuid4().hex}"
    try:
        logs.create_log_group(logGroupName=LOG_GROUP)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    for host, text in (("algo-1", "first\n"), ("algo-2", "second")):
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=f"{name}/{host}")
        write(stack, f"{name}/{host}", text, NOW + int(host[-1]))
    return name


def write(stack: boto3.Session, stream: str, text: str, when: int) -> None:
    stack.client("logs").put_log_events(
        logGroupName=LOG_GROUP, logStreamName=stream, logEvents=[{"timestamp": when, "message": text}]
    )


def test_the_lines_of_all_instances_are_read_and_of_no_other_job(stack: boto3.Session, job: str) -> None:
    assert list(read_lines(stack.client("logs"), job)) == [
        LogLine(f"{job}/algo-1", NOW + 1, "first"),
        LogLine(f"{job}/algo-2", NOW + 2, "second"),
    ]
    assert list(read_lines(stack.client("logs"), job[:-1])) == []


def test_lines_of_instances_are_read_by_their_time(stack: boto3.Session, job: str) -> None:
    write(stack, f"{job}/algo-1", "third", NOW + 3)
    write(stack, f"{job}/algo-2", "fourth", NOW + 4)

    read = [line.text for line in read_lines(stack.client("logs"), job, since=NOW + 2)]
    assert read == ["second", "third", "fourth"]


def test_a_long_log_is_read_to_its_end() -> None:
    """A page can be empty before the end; at the end, CloudWatch returns the same token again."""

    class Pages:
        def get_paginator(self, _: str) -> "Pages":
            return self

        def paginate(self, **_: object) -> list[object]:
            return [{"logStreams": [{"logStreamName": "job/algo-1"}]}]

        def get_log_events(self, nextToken: str = "0", **_: object) -> dict[str, object]:  # noqa: N803 - boto3's
            page = min(int(nextToken), 3)
            events = [] if page in {1, 3} else [{"timestamp": page, "message": f"line {page}"}]
            return {"events": events, "nextForwardToken": str(min(page + 1, 3))}

    lines = read_lines(Pages(), "job")  # type: ignore[arg-type]  # only the required methods
    assert [line.text for line in lines] == ["line 0", "line 2"]


def test_before_the_first_job_there_are_no_lines(stack: boto3.Session) -> None:
    assert list(read_lines(boto3.client("logs", region_name="eu-central-1"), "job")) == []


class Jobs:
    """Describes jobs by their names in lower case, as in ARNs."""

    def __init__(self, *names: str):
        self._names = {name.lower(): name for name in names}

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        name = self._names[ProcessingJobName]
        return {
            "ProcessingJobName": name,
            "ProcessingJobStatus": "InProgress",
            "CreationTime": datetime.now(UTC),
        }


def arn_of(job: str) -> str:
    return f"arn:aws:sagemaker:x:1:processing-job/{job.lower()}"


def test_the_newest_line_is_followed(stack: boto3.Session, job: str) -> None:
    newest = NewestLine(Jobs(job, f"{job}x"), stack.client("logs"))  # type: ignore[arg-type]

    assert newest.of(arn_of(f"{job}x"), 0) == ""
    assert newest.of(arn_of(job), 0) == "second"
    assert newest.of(arn_of(job), 0) == "second"
    write(stack, f"{job}/algo-1", "third", NOW + 3)
    assert newest.of(arn_of(job), 0) == "third"


def test_without_logs_the_newest_line_is_empty(stack: boto3.Session) -> None:
    settings = Config(retries={"total_max_attempts": 1})
    logs = stack.client("logs", endpoint_url="http://127.0.0.1:1", config=settings)

    assert NewestLine(Jobs("job"), logs).of(arn_of("job"), 0) == ""  # type: ignore[arg-type]


def test_a_missing_right_to_read_logs_is_reported_when_logs_are_requested() -> None:
    class Denied:
        def get_paginator(self, _: str) -> "Denied":
            return self

        def paginate(self, **_: object) -> list[object]:
            return [self]

        def __getitem__(self, _: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeLogStreams")

    with pytest.raises(ClientError):
        list(read_lines(Denied(), "job"))  # type: ignore[arg-type]  # a client without permission


def test_times_are_counted_in_milliseconds() -> None:
    assert milliseconds(None) == 0
    assert milliseconds(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1500
