"""Finds the Spark event logs of the steps of an execution."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from helpers.errors import UserError
from helpers.spark.event_log import reading
from helpers.spark.event_log.allocation import read_allocation
from helpers.spark.event_log.reading import LogFile
from ml_pipeline.executions.executions import list_executions, take_snapshot
from ml_pipeline.executions.job_report import Executors
from ml_pipeline.executions.outcome import StepOutcome, read_outcomes, written_during
from ml_pipeline.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class JobLog:
    """The event log of a step's job."""

    step: str
    folder: str
    """S3 URI of the folder with the logs of this job and others."""
    uri: str
    application_id: str


def newest_log(project: Project, execution: str | None = None, step: str | None = None) -> JobLog:
    """Return the event log of a step in the latest execution that has one.

    Args:
        project: the pipeline.
        execution: the ARN of an execution, to search only this one.
        step: the name of the step; by default, the last step with an event log.

    Raises:
        UserError: there is no such event log, or the step is unknown.
    """
    session = project.session
    sagemaker = session.client("sagemaker")
    reject_unknown_step(project, step)
    arns = [execution] if execution else (each.arn for each in list_executions(sagemaker, project.target))
    for arn in arns:
        logs = list(job_logs(project, read_outcomes(session, take_snapshot(sagemaker, arn))))
        chosen = [log for log in logs if step in {None, log.step}]
        if chosen:
            return chosen[-1]
    which = execution or f"any execution of {project.name}"
    raise UserError(
        f"There is no Spark event log of {f'step {step} in ' if step else ''}{which}: jobs write "
        "their first one after about 20 s",
        hint=f"Run it with: {project.target.command('start', CACHE='off')}",
    )


def logged_executors(project: Project, outcomes: Sequence[StepOutcome]) -> dict[str, Executors]:
    """Return executors from event logs by step, for jobs whose reports do not contain executors.

    Raises:
        EventLogError: an event log is damaged.
    """
    unreported = [outcome for outcome in outcomes if outcome.report and outcome.report.executors is None]
    s3 = project.session.client("s3")
    read = {log.step: read_allocation(log.uri, s3) for log in job_logs(project, unreported)}
    return {step: Executors(**asdict(allocation)) for step, allocation in read.items() if allocation}


def reject_unknown_step(project: Project, step: str | None) -> None:
    """Check the name of a step.

    Args:
        project: the pipeline.
        step: the name, or None for any step.

    Raises:
        UserError: the pipeline has no such Spark step.
    """
    steps = project.parameters.spark_steps
    if step is not None and step not in steps:
        raise UserError(
            f"unknown step {step!r} of pipeline {project.pipeline.name}; expected one of {', '.join(steps)}",
            hint=f"Name one of them, or add the step with: make new-step PIPELINE={project.pipeline.name} "
            f"NAME={step}",
        )


def job_logs(project: Project, outcomes: Sequence[StepOutcome]) -> "Iterator[JobLog]":
    """Yield the event log of each job that has one."""
    s3 = project.session.client("s3")
    for outcome in outcomes:
        if outcome.event_logs and outcome.started:
            log = log_of(reading.listed(outcome.event_logs, s3), outcome)
            if log is not None:
                yield JobLog(outcome.step.name, outcome.event_logs, log_uri(log), application_of(log))


def log_of(files: Sequence[LogFile], outcome: StepOutcome) -> LogFile | None:
    """Return a file of the log that a job wrote, or None, given the files in a folder that jobs share."""
    during = [file for file in files if written_during(file.modified, outcome.started, outcome.ended)]
    own = reading.newest(during)
    return own[0] if own else None


def log_uri(log: LogFile) -> str:
    """Return the URI of a log, given one of its files. The URI of a rolling log is its folder."""
    folder, _, _ = log.place.rpartition("/")
    return folder if PurePosixPath(folder).name.startswith(reading.ROLLED) else log.place


def application_of(log: LogFile) -> str:
    """Return the application ID in the name of a log."""
    name = PurePosixPath(log.name)
    if name.parent.name.startswith(reading.ROLLED):
        return name.parent.name.removeprefix(reading.ROLLED)
    plain = name.name.removesuffix(".inprogress")
    codec = reading.codec_of(plain)
    return plain.removesuffix(f".{codec}") if codec else plain
