import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.s3 import parse
from ml_pipeline.executions.executions import Snapshot, Step
from ml_pipeline.executions.outcome import (
    Outputs,
    Report,
    StepOutcome,
    argument,
    output_uri,
    read_outcomes,
    read_report,
)
from ml_pipeline.executions.summary import summary
from ml_pipeline.params import PipelineParams

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEP = Step("clean", "Succeeded", job="job-1")
REPORT = Report(
    application_id="application_1",
    rows_in=4177,
    rows_out=4175,
    rows_rejected=2,
    outputs=Outputs(csv="s3a://b/out/csv", parquet="s3a://b/out/parquet", rejected="s3a://b/out/rejected"),
    seconds={"start Spark": 4.21, "write CSV": 1.0},
)
FULL = StepOutcome(
    STEP,
    output="s3a://b/out",
    event_logs="s3://b/logs/abc",
    log_stream="/aws/sagemaker/ProcessingJobs: job-1/algo-1-1",
    created=NOON,
    started=NOON + timedelta(seconds=90),
    ended=NOON + timedelta(seconds=120),
    report=REPORT,
)


def test_a_success_says_where_everything_is() -> None:
    assert summary(Snapshot("arn", "Succeeded"), [FULL], "local").splitlines() == [
        "Execution        arn",
        "Status           Succeeded",
        "",
        "Step             clean: Succeeded",
        "CSV              s3://b/out/csv",
        "Parquet          s3://b/out/parquet",
        "Quarantine       s3://b/out/rejected",
        "Rows             4,177 in, 4,175 out, 2 rejected",
        "Log              /aws/sagemaker/ProcessingJobs: job-1/algo-1-1",
        "Spark event log  s3://b/logs/abc/application_1",
        "Time             instances 1 min 30 s, job 30 s",
        "In the job       start Spark 4.2 s, write CSV 1.0 s",
    ]


def test_without_the_report_the_rest_is_told() -> None:
    outcome = StepOutcome(STEP, output="s3a://b/out", event_logs="s3://b/logs", notes=("no right to it",))

    text = summary(Snapshot("arn", "Succeeded"), [outcome], "dev")

    assert "Output           s3://b/out" in text
    assert "Spark event log  s3://b/logs" in text
    assert "Note             no right to it" in text
    assert "Rows" not in text


def test_a_cache_hit_names_the_execution_whose_result_it_is() -> None:
    hit = StepOutcome(Step("clean", "Succeeded", reused_from="arn:source"))

    assert "nothing changed: result of arn:source reused" in summary(Snapshot("a", "Succeeded"), [hit], "dev")


def test_a_failure_says_why_and_how_to_see_the_log() -> None:
    failed = StepOutcome(
        Step("clean", "Failed", failure_reason="no rows"), output="s3a://b/out", created=NOON, ended=NOON
    )

    text = summary(Snapshot("arn", "Failed", "a step failed"), [failed], "dev")

    assert "Reason           no rows" in text
    assert "See the log      python -m ml_pipeline logs --env dev --execution arn" in text
    assert "Time             until its end 0 s" in text
    assert "CSV" not in text


def test_an_execution_that_failed_without_a_step_says_why() -> None:
    assert "Reason           no such role" in summary(Snapshot("arn", "Failed", "no such role"), [], "dev")


def test_locations_are_those_that_the_job_had() -> None:
    job = {
        "AppSpecification": {"ContainerArguments": ["--input_table", "in", "--output_table", "out"]},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "logs", "S3Output": {"S3Uri": "s3://b/l"}}]},
    }

    assert (argument(job, "--output_table"), argument(job, "--other")) == ("out", "")
    assert (output_uri(job, "logs"), output_uri(job, "other")) == ("s3://b/l", "")


@pytest.fixture
def output(stack: boto3.Session, stack_parameters: PipelineParams) -> str:
    """An output folder with a report in it."""
    uri = f"{stack_parameters.pyspark_process_data_output}/{uuid4().hex}"
    bucket, key = parse(uri)
    body = REPORT.model_dump_json().encode()
    stack.client("s3").put_object(Bucket=bucket, Key=f"{key}/report.json", Body=body)
    return uri


def window(start: int, end: int) -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {
        "ProcessingStartTime": now + timedelta(seconds=start),
        "ProcessingEndTime": now + timedelta(seconds=end),
    }


def test_the_report_of_the_job_is_read(stack: boto3.Session, output: str) -> None:
    assert read_report(stack.client("s3"), output, window(-9, 9)) == (REPORT, "")


@pytest.mark.parametrize("times", [(60, 90), (-90, -60)])
def test_the_report_of_another_execution_does_not_count(
    times: tuple[int, int], stack: boto3.Session, output: str
) -> None:
    report, note = read_report(stack.client("s3"), output, window(*times))

    assert report is None
    assert "of another execution" in note


@pytest.mark.parametrize("text", ["{", json.dumps({"rows_in": 1})])
def test_a_report_that_is_none_is_told(text: str, stack: boto3.Session, output: str) -> None:
    bucket, key = parse(f"{output}/report.json")
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())

    report, note = read_report(stack.client("s3"), output, window(-9, 9))

    assert report is None
    assert "is not as expected" in note


def test_a_report_that_is_gone_is_told(stack: boto3.Session, output: str) -> None:
    report, note = read_report(stack.client("s3"), f"{output}/gone", {})

    assert report is None
    assert "start --cache off runs the job anew" in note


def test_a_report_that_may_not_be_read_is_told() -> None:
    class Denied:
        def get_object(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    report, note = read_report(Denied(), "s3a://b/out", {})  # type: ignore[arg-type]  # a client that may not

    assert (report, note) == (None, "the report s3://b/out/report.json cannot be read: AccessDenied")


def test_a_job_that_cannot_be_read_hides_nothing_of_the_rest(stack: boto3.Session) -> None:
    steps = (Step("clean", "Succeeded", job="never-was"), Step("next", "Starting"))

    first, second = read_outcomes(stack, Snapshot("arn", "Executing", steps=steps))

    assert first.notes == ("its processing job cannot be read: ResourceNotFound",)
    assert second == StepOutcome(steps[1])
