"""The Spark event log of an execution: which it is, what it says, and its pages in Spark's history server."""

import signal
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.errors import UserError
from helpers.spark import history_server
from helpers.spark.event_log import reading
from helpers.spark.event_log.configuration import change
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.reading import LogFile
from helpers.spark.event_log.report import report
from ml_pipeline.executions.executions import list_executions, take_snapshot
from ml_pipeline.executions.invocation import invocation
from ml_pipeline.executions.outcome import StepOutcome, read_outcomes, written_during
from ml_pipeline.project import Project, say

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class JobLog:
    """The event log of a step's job."""

    step: str
    folder: str
    """Where the logs of this job and of others lie."""
    uri: str
    application_id: str


def show_findings(project: Project, console: Console, execution: str | None, target: Path | None) -> int:
    """Tell what the event log of an execution says, and write the next configuration where one is named."""
    log = newest_log(project, execution)
    say(console, f"Step {log.step}: {log.uri}\n")
    run = read(log.uri, project.session.client("s3"))
    found = findings(run)
    say(console, report(run, found))
    if target is not None:
        say(console, f"\n{change(target, found)}")
    return 0


def show_pages(project: Project, console: Console, execution: str | None, port: int, *, browse: bool) -> int:
    """Start Spark's history server on the logs of an execution; Ctrl-C or SIGTERM ends it."""
    log = newest_log(project, execution)
    server = history_server.on_s3(log.folder, project.session, port)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def ready(address: str) -> None:
        say(console, f"Spark UI of step {log.step}: {address}\nCtrl-C ends it.")
        if browse:
            webbrowser.open(address)

    say(console, f"Starting Spark's history server on {log.folder} …")
    try:
        history_server.serve(server, ready, stop, log.application_id)
    except KeyboardInterrupt:
        say(console, "Ended.")
    return 0


def newest_log(project: Project, execution: str | None = None) -> JobLog:
    """Return the last event log of an execution, by default of the newest that has one.

    Raises:
        UserError: there is none.
    """
    session = project.session
    sagemaker = session.client("sagemaker")
    arns = (
        [execution]
        if execution
        else [entry.arn for entry in list_executions(sagemaker, project.name, project.environment)]
    )
    for arn in arns:
        logs = list(_logs(project, read_outcomes(session, take_snapshot(sagemaker, arn))))
        if logs:
            return logs[-1]
    again = invocation(project.environment, "start", "--cache", "off")
    which = execution or f"any execution of {project.name}"
    raise UserError(
        f"There is no Spark event log of {which}: a job's first comes after about 20 s. Run it: {again}"
    )


def _logs(project: Project, outcomes: Sequence[StepOutcome]) -> "Iterator[JobLog]":
    s3 = project.session.client("s3")
    for outcome in outcomes:
        if outcome.event_logs and outcome.started:
            log = log_of(reading.listed(outcome.event_logs, s3), outcome)
            if log is not None:
                yield JobLog(outcome.step.name, outcome.event_logs, log.place, application_of(log))


def log_of(files: Sequence[LogFile], outcome: StepOutcome) -> LogFile | None:
    """Return the log that a job has written, among those of a folder that jobs share."""
    job = {"ProcessingStartTime": outcome.started, "ProcessingEndTime": outcome.ended}
    own = reading.newest([file for file in files if written_during(file.modified, job)])
    return own[0] if own else None


def application_of(log: LogFile) -> str:
    """Return the id of the application that a log is named by."""
    name = PurePosixPath(log.name)
    if name.parent.name.startswith(reading.ROLLED):
        return name.parent.name.removeprefix(reading.ROLLED)
    plain = name.name.removesuffix(".inprogress")
    codec = reading.codec_of(plain)
    return plain.removesuffix(f".{codec}") if codec else plain
