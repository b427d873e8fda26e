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
    """A step's end, and all that is known of its job: of a step from the cache, the job that it reused."""

    step: Step
    job: str = ""
    """The name of the job; empty where the step has none."""
    job_kind: JobKind = PROCESSING
    event_logs: str = ""
    log_stream: str = ""
    exception: str = ""
    """What ended a failed job, by its log: SageMaker's reason has the exit code only."""
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    report_uri: str = ""
    """Where the job writes its report; empty where its environment does not name a folder.

    Jobs of training and of batch transform write none.
    """
    report: Report | None = None
    """The report of a job that succeeded."""
    report_problems: tuple[str, ...] = ()
    """Why there is no report."""
    results: tuple[tuple[str, str], ...] = ()
    """What the step came to, by what it is: the artifacts of a model and its metrics, predictions."""
    written: tuple[tuple[str, str], ...] = ()
    """Objects and folders that a job without a report has written, each with the key that it was given."""
    notes: tuple[str, ...] = ()
    """What could not be read otherwise."""


def read_outcomes(session: "Session", snapshot: Snapshot) -> list[StepOutcome]:
    """Return the outcome of each step; what may not be read hides nothing of the rest."""
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
    """Return what a job of training or of batch transform has written, and its key, by what it is."""
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
    """Return where a job wrote its log, the exception that it failed with, and why the log cannot be read.

    That of a reused result is not read: its job succeeded.
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
    """Return the ARN of the job whose result the cache gave, where the step itself does not name it."""
    if not step.reused_from:
        return ""
    source = take_snapshot(session.client("sagemaker"), step.reused_from)
    return next((earlier.job_arn for earlier in source.steps if earlier.name == step.name), "")


def output_uri(job: Mapping[str, Any], name: str) -> str:
    """Return where an output of the job lies, or an empty string."""
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return next((output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == name), "")


def written_during(modified: datetime, started: datetime | None, ended: datetime | None) -> bool:
    """Return whether a time lies within a job, given that S3 has whole seconds."""
    second = timedelta(seconds=1)
    return (not started or modified >= started - second) and (not ended or modified <= ended + second)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
