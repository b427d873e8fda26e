import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3

from helpers.environments import Environment
from helpers.s3 import parse
from ml_pipeline.executions.executions import Snapshot, Step
from ml_pipeline.executions.job_report import Check, Executors, Output, Report
from ml_pipeline.executions.outcome import StepOutcome, output_uri, read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.target import Target
from ml_pipeline.params import PipelineParams

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STEP = Step("clean", "Succeeded", job_arn="arn:processing-job/job-1")
REPORT = Report(
    version=2,
    application_id="application_1",
    rows_in=4177,
    rows_rejected=2,
    outputs={
        "csv": Output(folder="s3a://b/out/csv", rows=4175, files=1, format="csv"),
        "rejected": Output(folder="s3a://b/out/rejected", rows=1, files=12, format="json"),
    },
    checks=(
        Check(name="rows in = rows written + rows rejected", expected=4177, actual=4176),
        Check(name="sexes", expected=3, actual=3),
    ),
    seconds={"start Spark": 4.21, "write CSV": 1.0},
    executors=Executors(requested=24, granted=24, cores=4, memory_mib=13681),
)
FULL = StepOutcome(
    STEP,
    job="job-1",
    event_logs="s3://b/logs/abc",
    log_stream="/aws/sagemaker/ProcessingJobs: job-1/algo-1-1",
    created=NOON,
    started=NOON + timedelta(seconds=90),
    ended=NOON + timedelta(seconds=120),
    report_uri="s3://b/out/runs/job-1/report.json",
    report=REPORT,
)


def described(name: str, **more: Any) -> dict[str, Any]:
    """Return the API's description of a processing job."""
    return {"ProcessingJobName": name, "ProcessingJobStatus": "Completed", "CreationTime": NOON, **more}


TARGET = Target(Environment("local"), "processing", "P")


def test_a_success_reports_where_everything_is() -> None:
    assert summary(Snapshot("arn", "Succeeded"), [FULL], TARGET).splitlines() == [
        "Execution        arn",
        "Status           Succeeded",
        "Page             make report ENV=local ARGS='--execution arn'",
        "",
        "Step             clean: Succeeded",
        "Rows             4,177 in, 2 rejected",
        "Output           csv       4,175 rows    1 file  s3://b/out/csv",
        "Output           rejected       1 row  12 files  s3://b/out/rejected",
        "Executors        24, with 4 cores and 13,681 MiB each",
        "Failed check     rows in = rows written + rows rejected: expected 4,177, found 4,176",
        "Report           s3://b/out/runs/job-1/report.json",
        "Log              /aws/sagemaker/ProcessingJobs: job-1/algo-1-1",
        "Spark event log  s3://b/logs/abc/application_1",
        "Time             instances 1 min 30 s, job 30 s",
        "In the job       start Spark 4.2 s, write CSV 1.0 s",
    ]


def test_a_job_may_count_no_rows_and_write_nothing() -> None:
    least = StepOutcome(STEP, job="job-1", report=Report(version=1, application_id="app", outputs={}))

    text = summary(Snapshot("arn", "Succeeded"), [least], TARGET)

    assert "Rows" not in text
    assert "Output" not in text


def test_without_the_report_the_rest_is_shown() -> None:
    outcome = StepOutcome(
        STEP,
        event_logs="s3://b/logs",
        report_problems=("r.json: a: missing", "r.json: b: missing"),
        notes=("no right",),
    )

    text = summary(Snapshot("arn", "Succeeded"), [outcome], TARGET)

    assert "Spark event log  s3://b/logs" in text
    assert [line for line in text.splitlines() if line.startswith("Note ")] == [
        "Note             r.json: a: missing",
        "Note             r.json: b: missing",
        "Note             no right",
    ]
    assert "Rows" not in text


def test_a_cache_hit_names_the_execution_whose_result_it_is() -> None:
    hit = StepOutcome(Step("clean", "Succeeded", reused_from="arn:source"))

    assert "nothing changed: result of arn:source reused" in summary(
        Snapshot("a", "Succeeded"), [hit], TARGET
    )


def test_a_job_that_a_quota_stopped_leads_to_how_it_is_raised() -> None:
    reason = "ClientError: ResourceLimitExceeded: The account-level service limit 'ml.m5.4xlarge for …' is 0"
    failed = StepOutcome(Step("clean", "Failed", failure_reason=reason))

    text = summary(Snapshot("arn", "Failed", "a step failed"), [failed], TARGET)

    assert "Quota            Request an increase of the quota" in text
    assert "docs/platform-engineer.md#service-quotas" in text


def test_a_failure_reports_why_and_how_to_see_the_log() -> None:
    failed = StepOutcome(
        Step("clean", "Failed", failure_reason="exit code 1"),
        job="job-1",
        created=NOON,
        ended=NOON,
        exception="JobError: no rows",
    )

    text = summary(Snapshot("arn", "Failed", "a step failed"), [failed], TARGET)

    assert "Reason           exit code 1" in text
    assert "Exception        JobError: no rows" in text
    assert "See the log      make logs ENV=local ARGS='--execution arn'" in text
    assert "Time             until its end 0 s" in text
    assert "Report" not in text


def test_an_execution_that_failed_without_a_step_reports_why() -> None:
    assert "Reason           no such role" in summary(Snapshot("arn", "Failed", "no such role"), [], TARGET)


def test_event_logs_are_where_the_job_put_them() -> None:
    job = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "logs", "S3Output": {"S3Uri": "s3://b/l"}}]}}

    assert (output_uri(job, "logs"), output_uri(job, "other")) == ("s3://b/l", "")


class Session:
    """The embedded AWS with processing jobs that never ran."""

    def __init__(self, stack: boto3.Session, jobs: dict[str, dict[str, str]]):
        self._stack, self._jobs = stack, jobs

    def client(self, service: str) -> Any:
        return self if service == "sagemaker" else self._stack.client(service)  # type: ignore[call-overload]

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        return described(ProcessingJobName, Environment=self._jobs[ProcessingJobName])


def test_each_job_has_the_report_below_its_own_name(
    stack: boto3.Session, stack_parameters: PipelineParams
) -> None:
    """Including a job from the cache, even after later runs, which have other folders."""
    folder = f"{stack_parameters.pyspark_process_data_output}/{uuid4().hex}"
    bucket, key = parse(folder)
    for job in ("job-1", "job-2"):
        body = {"version": 1, "application_id": f"app of {job}", "outputs": {}}
        for place in (f"{key}/runs/{job}/report.json", f"{key}/report.json"):
            stack.client("s3").put_object(Bucket=bucket, Key=place, Body=json.dumps(body).encode())
    session = Session(stack, {job: {"REPORT_FOLDER": folder} for job in ("job-1", "job-2")})
    steps = (
        Step("clean", "Succeeded", reused_from="arn:source", job_arn="arn:processing-job/job-1"),
        Step("join", "Succeeded", job_arn="arn:processing-job/job-2"),
        Step("sum", "Executing", job_arn="arn:processing-job/job-2"),
    )

    read = read_outcomes(session, Snapshot("arn", "Executing", steps=steps))  # type: ignore[arg-type]

    assert [each.report and each.report.application_id for each in read] == [
        "app of job-1",
        "app of job-2",
        None,
    ]
    assert read[0].report_uri == f"s3://{bucket}/{key}/runs/job-1/report.json"
    assert [each.report_problems for each in read] == [(), (), ()]


def test_a_job_without_a_report_output_is_reported(stack: boto3.Session) -> None:
    snapshot = Snapshot("arn", "Succeeded", steps=(STEP,))

    (read,) = read_outcomes(Session(stack, {"job-1": {}}), snapshot)  # type: ignore[arg-type]

    assert read.report_problems == (
        "processing job job-1: Environment.REPORT_FOLDER: missing, so the job has no report "
        "(docs/job-report.md). Set it in the step, upsert the pipeline, and start it again",
    )


def test_a_report_that_cannot_be_used_is_reported(
    stack: boto3.Session, stack_parameters: PipelineParams
) -> None:
    folder = f"{stack_parameters.pyspark_process_data_output}/{uuid4().hex}"
    bucket, key = parse(folder)
    stack.client("s3").put_object(Bucket=bucket, Key=f"{key}/runs/job-1/report.json", Body=b"{}")
    session = Session(stack, {"job-1": {"REPORT_FOLDER": folder}})

    (read,) = read_outcomes(session, Snapshot("arn", "Succeeded", steps=(STEP,)))  # type: ignore[arg-type]

    assert read.report is None
    assert len(read.report_problems) == 3
    assert all(f"s3://{bucket}/{key}/runs/job-1/report.json: " in each for each in read.report_problems)


def test_a_job_that_cannot_be_read_hides_nothing_of_the_rest(stack: boto3.Session) -> None:
    steps = (
        Step("clean", "Succeeded", job_arn="arn:aws:sagemaker:x:1:processing-job/never-was"),
        Step("next", "Starting"),
    )

    first, second = read_outcomes(stack, Snapshot("arn", "Executing", steps=steps))

    assert first.notes == ("its job cannot be read: ResourceNotFound",)
    assert second == StepOutcome(steps[1])


def test_the_log_is_that_of_the_name_that_describe_returns(stack: boto3.Session) -> None:
    """ARNs are in lower case, but names and log streams are not."""
    name, other = f"Job-{uuid4().hex}", f"Job-{uuid4().hex}"
    logs, group = stack.client("logs"), "/aws/sagemaker/ProcessingJobs"
    try:
        logs.create_log_group(logGroupName=group)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    logs.create_log_stream(logGroupName=group, logStreamName=f"{name}/algo-1-1")
    lines = ["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "KeyError: 'rings'"]
    now = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=f"{name}/algo-1-1",
        logEvents=[{"timestamp": now, "message": line} for line in lines],
    )

    class Jobs(Session):
        def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
            named = {each.lower(): each for each in (name, other)}[ProcessingJobName]
            return described(named)

    steps = [
        Step("clean", "Failed", job_arn=f"arn:aws:sagemaker:x:1:processing-job/{each.lower()}")
        for each in (name, other)
    ]

    found, empty = read_outcomes(Jobs(stack, {}), Snapshot("arn", "Failed", steps=tuple(steps)))  # type: ignore[arg-type]

    assert (found.job, found.log_stream) == (name, f"{group}: {name}/algo-1-1")
    assert found.exception == "KeyError: 'rings'"
    assert empty.log_stream == f"{group}: {other}/… is empty"
