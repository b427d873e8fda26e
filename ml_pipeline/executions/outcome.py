"""What has become of an execution, read from SageMaker, S3 and CloudWatch into plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from helpers.s3 import join, parse
from ml_pipeline.executions.executions import Snapshot, Step, take_snapshot
from ml_pipeline.executions.job_logs import LOG_GROUP, milliseconds, read_lines

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3 import S3Client

EVENT_LOG_OUTPUT = "spark-event-logs"


class Outputs(BaseModel):
    """Where the job has written."""

    model_config = ConfigDict(frozen=True)
    csv: str
    parquet: str
    rejected: str | None = None


class Report(BaseModel):
    """The report that the job writes last of all."""

    model_config = ConfigDict(frozen=True)
    application_id: str
    rows_in: int
    rows_out: int
    rows_rejected: int
    outputs: Outputs
    files: dict[str, int] = {}
    """How many part files were written, by the name of the output."""
    seconds: dict[str, float] = {}


@dataclass(frozen=True)
class StepOutcome:
    """A step's end, and all that is known of its job; what could not be read is told in `notes`."""

    step: Step
    output: str = ""
    event_logs: str = ""
    log_stream: str = ""
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    report: Report | None = None
    notes: tuple[str, ...] = field(default=())


def read_outcomes(session: "Session", snapshot: Snapshot) -> list[StepOutcome]:
    """Return the outcome of each step; what may not be read hides nothing of the rest."""
    return [_read_outcome(session, step) for step in snapshot.steps]


def _read_outcome(session: "Session", step: Step) -> StepOutcome:
    sagemaker = session.client("sagemaker")
    try:
        job_name = step.job or _source_job(session, step)
        if not job_name:
            return StepOutcome(step)
        job: Mapping[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=job_name)
    except ClientError as error:
        return StepOutcome(step, notes=(f"its processing job cannot be read: {_said(error)}",))
    notes = []
    stream = f"{LOG_GROUP}: {job_name}/…"
    try:
        line = next(read_lines(session.client("logs"), job_name, milliseconds(job.get("CreationTime"))), None)
        stream = f"{LOG_GROUP}: {line.stream}" if line else stream
    except ClientError as error:
        notes.append(f"the log cannot be read: {_said(error)}")
    output = argument(job, "--output_table")
    report, note = (
        read_report(session.client("s3"), output, job)
        if output and step.status == "Succeeded"
        else (None, "")
    )
    return StepOutcome(
        step,
        output=output,
        event_logs=output_uri(job, EVENT_LOG_OUTPUT),
        log_stream=stream,
        created=job.get("CreationTime"),
        started=job.get("ProcessingStartTime"),
        ended=job.get("ProcessingEndTime"),
        report=report,
        notes=(*notes, note) if note else tuple(notes),
    )


def _source_job(session: "Session", step: Step) -> str:
    """Return the job whose result the cache gave, where the step itself does not name it."""
    if not step.reused_from:
        return ""
    source = take_snapshot(session.client("sagemaker"), step.reused_from)
    return next((earlier.job for earlier in source.steps if earlier.name == step.name), "")


def argument(job: Mapping[str, Any], name: str) -> str:
    """Return the value of an argument of the job's container, or an empty string."""
    arguments = job["AppSpecification"].get("ContainerArguments", [])
    return next((value for key, value in pairwise(arguments) if key == name), "")


def output_uri(job: Mapping[str, Any], name: str) -> str:
    """Return where an output of the job lies, or an empty string."""
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return next((output["S3Output"]["S3Uri"] for output in outputs if output["OutputName"] == name), "")


def read_report(s3: "S3Client", output: str, job: Mapping[str, Any]) -> tuple[Report | None, str]:
    """Return the job's report, or why there is none.

    The output folder holds the report of whoever wrote last; it counts when it was written during the job.
    """
    uri = parse(join(output, "report.json"))
    try:
        answer = s3.get_object(Bucket=uri.bucket, Key=uri.key)
        text = answer["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return (
                None,
                f"no report at {uri}: not written, or removed since; start --cache off runs the job anew",
            )
        return None, f"the report {uri} cannot be read: {_said(error)}"
    if not written_during(answer["LastModified"], job):
        return None, f"the report at {uri} is of another execution, and so are the files beside it"
    try:
        return Report.model_validate_json(text), ""
    except ValidationError as error:
        return None, f"the report {uri} is not as expected: {error.error_count()} problems"


def written_during(modified: datetime, job: Mapping[str, Any]) -> bool:
    """Return whether a time lies within a job, given that S3 tells whole seconds."""
    second = timedelta(seconds=1)
    started, ended = job.get("ProcessingStartTime"), job.get("ProcessingEndTime")
    return (not started or modified >= started - second) and (not ended or modified <= ended + second)


def _said(error: ClientError) -> str:
    return error.response["Error"]["Code"]
