"""Reads the result of an execution from SageMaker, S3 and CloudWatch as plain data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.s3 import S3Uri
from ml_pipeline.executions.executions import Snapshot, Step, take_snapshot
from ml_pipeline.executions.job_logs import exception_of, milliseconds, read_lines
from ml_pipeline.executions.job_report import (
    DOCUMENTATION,
    FOLDER_VARIABLE,
    Report,
    ReportError,
    read_report,
    report_uri,
)
from ml_pipeline.executions.jobs import PROCESSING, TRAINING, Job, JobKind, describe_job

if TYPE_CHECKING:
    from boto3 import Session

EVENT_LOG_OUTPUT = "spark-event-logs"


@dataclass(frozen=True)
class StepOutcome:
    """The result of a step with its job; for a cached step, the job whose result was reused."""

    step: Step
    job: str = ""
    """The name of the job; empty if the step has none."""
    job_kind: JobKind = PROCESSING
    event_logs: str = ""
    log_stream: str = ""
    exception: str = ""
    """The exception of a failed job in its log; SageMaker's reason contains only the exit code."""
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    report_uri: str = ""
    """URI of the job's report; empty if its environment names no folder.

    Training and batch transform jobs write no reports.
    """
    report: Report | None = None
    """The report of a successful job."""
    report_problems: tuple[str, ...] = ()
    """Why there is no report."""
    results: tuple[tuple[str, str], ...] = ()
    """The results of the step by kind: model artifacts and metrics, predictions."""
    written: tuple[tuple[str, str], ...] = ()
    """Objects and folders that a job without a report wrote, each with its encryption key."""
    notes: tuple[str, ...] = ()
    """Other data that could not be read."""


def read_outcomes(session: "Session", snapshot: Snapshot) -> list[StepOutcome]:
    """Return the outcome of each step; data that may not be read does not affect the rest."""
    return [_read_outcome(session, step) for step in snapshot.steps]


def _read_outcome(session: "Session", step: Step) -> StepOutcome:
    sagemaker = session.client("sagemaker")
    try:
        arn = step.job_arn or _source_job(session, step)
        if not arn:
            return StepOutcome(step, results=step.results)
        job = describe_job(sagemaker, arn)
    except ClientError as error:
        name = step.job_arn.rsplit("/", 1)[-1]
        return StepOutcome(step, name, notes=(f"its job cannot be read: {_code(error)}",))
    stream, exception, notes = _read_log(session, step, job)
    outcome = StepOutcome(
        step,
        job.name,
        job_kind=job.kind,
        event_logs=output_uri(job.description, EVENT_LOG_OUTPUT),
        log_stream=stream,
        exception=exception,
        created=job.created,
        started=job.started,
        ended=job.ended,
        notes=notes,
    )
    if step.status != "Succeeded":
        return replace(outcome, report_uri=str(_report_uri(job) or ""))
    if job.kind is not PROCESSING:
        return replace(outcome, results=tuple(_results(job)), written=tuple(_written(job).values()))
    uri = _report_uri(job)
    report, problems = _read_report(session, job.name, uri)
    return replace(outcome, report_uri=str(uri or ""), report=report, report_problems=problems)


def _report_uri(job: Job) -> S3Uri | None:
    folder = job.environment.get(FOLDER_VARIABLE, "")
    return report_uri(folder, job.name) if folder else None


def _written(job: Job) -> dict[str, tuple[str, str]]:
    """Return the outputs of a training or batch transform job by kind, with their keys."""
    if job.kind is TRAINING:
        uri = job.description["ModelArtifacts"]["S3ModelArtifacts"]
        return {"Artifacts": (uri, job.description["OutputDataConfig"].get("KmsKeyId", ""))}
    output = job.description["TransformOutput"]
    return {"Predictions": (output["S3OutputPath"], output.get("KmsKeyId", ""))}


def _results(job: Job) -> Iterator[tuple[str, str]]:
    for name, (uri, _) in _written(job).items():
        yield name, uri
    metrics = job.description.get("FinalMetricDataList") or []
    if metrics:
        yield "Metrics", ", ".join(f"{each['MetricName']} {each['Value']:.4g}" for each in metrics)


def _read_log(session: "Session", step: Step, job: Job) -> tuple[str, str, tuple[str, ...]]:
    """Return the log of a job, the exception that ended it, and why the log cannot be read.

    The log of a reused result is not read, because its job succeeded.
    """
    group = job.kind.log_group
    stream = f"{group}: {job.name}/…"
    if step.reused_from:
        return stream, "", ()
    try:
        lines = read_lines(session.client("logs"), job.name, milliseconds(job.created), group)
        first = next(lines, None)
        if first is None:
            return f"{stream} is empty", "", ()
        failed = step.status == "Failed" and job.kind is PROCESSING
        exception = exception_of(chain([first], lines)) if failed else ""
    except ClientError as error:
        return stream, "", (f"the log cannot be read: {_code(error)}",)
    return f"{group}: {first.stream}", exception, ()


def _read_report(session: "Session", job: str, uri: S3Uri | None) -> tuple[Report | None, tuple[str, ...]]:
    """Return the report, or why there is none."""
    if uri is None:
        problem = (
            f"processing job {job}: Environment.{FOLDER_VARIABLE}: missing, so the job has no report "
            f"({DOCUMENTATION}). Set it in the step, upsert the pipeline, and start it again"
        )
        return None, (problem,)
    try:
        return read_report(session.client("s3"), uri), ()
    except ReportError as error:
        return None, error.problems


def _source_job(session: "Session", step: Step) -> str:
    """Return the ARN of the job whose result was reused, if the step does not name it."""
    if not step.reused_from:
        return ""
    source = take_snapshot(session.client("sagemaker"), step.reused_from)
    return next((earlier.job_arn for earlier in source.steps if earlier.name == step.name), "")


def output_uri(job: Mapping[str, Any], name: str) -> str:
    """Return the URI of a job's output, or an empty string."""
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return next((output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == name), "")


def written_during(modified: datetime, started: datetime | None, ended: datetime | None) -> bool:
    """Return whether a time is within a job, allowing for S3's resolution of one second."""
    second = timedelta(seconds=1)
    return (not started or modified >= started - second) and (not ended or modified <= ended + second)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
