"""The commands that bring code and data to AWS and run them: each decides with pure functions, and tells."""

import json
import logging

from rich.console import Console

from helpers.command_line import INTERRUPTED
from helpers.environments import Environment
from helpers.errors import UserError, one_per_line
from ml_pipeline.controls.checks import findings
from ml_pipeline.executions.executions import list_executions, start, stop, take_snapshot
from ml_pipeline.executions.input_data import input_fingerprint, provide_sample
from ml_pipeline.executions.invocation import invocation
from ml_pipeline.executions.job_logs import milliseconds, read_lines
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.verification import problems, read_written
from ml_pipeline.executions.waiting import wait
from ml_pipeline.project import Project, open_project, say
from ml_pipeline.releases.history import Origin, record
from ml_pipeline.releases.registration import upsert as register
from ml_pipeline.releases.revision import commit
from ml_pipeline.releases.staging import code_hash, read_code, stage_code


def data(project: Project, console: Console) -> int:
    """Put the sample data at the input location."""
    params = project.parameters
    said = provide_sample(
        project.session.client("s3"),
        params.pyspark_process_data_input,
        params.pyspark_process_output_kms,
        project.environment,
    )
    say(console, said)
    return 0


def tell_code_hash() -> int:
    """Print the hash of the code in this checkout."""
    print(code_hash(read_code()))
    return 0


def upsert(project: Project, console: Console, *, code: str | None = None) -> int:
    """Stage the code, create or update the pipeline, and record it.

    Args:
        project: what is upserted.
        console: where to tell it.
        code: the hash of the code that is meant; another checkout is refused.

    Raises:
        UserError: a step lacks a control, or the code is not what is meant.
    """
    if code is not None and code != project.code_hash:
        raise UserError(
            f"The code of this checkout is {project.code_hash}, not {code}; nothing was sent. What is "
            "promoted is what ran before: check out the commit that it ran from."
        )
    definition = project.registration  # built first: what cannot be built stages nothing
    lacking = [str(finding) for finding in findings(json.loads(definition.definition))]
    if lacking:
        raise UserError(f"{project.name} lacks controls, nothing was sent:{one_per_line(lacking)}")
    for uri in stage_code(project.session.client("s3"), project.parameters, project.code):
        say(console, f"Staged {uri}")
    done = register(project.session.client("sagemaker"), project.name, definition)
    entry = record(
        project.session,
        project.name,
        project.artifact_bucket,
        definition,
        Origin(commit(), project.code_hash),
        changed=done != "unchanged",
    )
    say(console, f"Pipeline {project.name} {done}{f', version {entry.version}' if entry else ''}.")
    return 0


def start_execution(project: Project, console: Console, *, waiting: bool, use_cache: bool) -> int:
    """Start an execution, wait for it if asked to, and tell how it ended."""
    session, params = project.session, project.parameters
    sagemaker = session.client("sagemaker")
    value = input_fingerprint(session.client("s3"), params.pyspark_process_data_input, project.environment)
    arn = start(sagemaker, project.name, value, project.environment, use_cache=use_cache)
    say(console, f"Started {arn}")
    if not waiting:
        return 0
    snapshot, interrupted = wait(sagemaker, session.client("logs"), arn, console)
    say(console, "\n" + summary(snapshot, read_outcomes(session, snapshot), project.environment))
    if interrupted:
        return INTERRUPTED
    if snapshot.status == "Succeeded":
        return 0
    say(console, f"\nThe whole log: make logs ENV={project.environment}")
    return 1


def stop_execution(project: Project, console: Console, execution: str | None) -> int:
    """Stop an execution, by default whichever runs, and wait until it has stopped."""
    session = project.session
    sagemaker = session.client("sagemaker")
    running = [e.arn for e in list_executions(sagemaker, project.name, project.environment) if e.active]
    for arn in [execution] if execution else running:
        if not stop(sagemaker, arn):
            say(console, f"{arn} is over already.")
            continue
        snapshot, _ = wait(sagemaker, session.client("logs"), arn, console)
        say(console, f"{arn} is {snapshot.status}.")
    if not execution and not running:
        say(console, f"No execution of {project.name} runs.")
    return 0


def verify(project: Project, console: Console) -> int:
    """Check that the newest execution did what it says; return 1 and tell what is wrong, if it did not.

    Raises:
        UserError: there is no execution.
    """
    session = project.session
    snapshot = take_snapshot(session.client("sagemaker"), _newest(project))
    outcomes = read_outcomes(session, snapshot)
    written = read_written(session.client("s3"), outcomes)
    found = problems(snapshot, outcomes, written, project.parameters.pyspark_process_output_kms)
    for problem in found:
        say(console, f"Not as it should be: {problem}")
    if found:
        say(console, f"{snapshot.arn}: {len(found)} problem{'s' * (len(found) != 1)}")
        return 1
    rows = sum(outcome.report.rows_out for outcome in outcomes if outcome.report)
    files = sum(map(len, written.values()))
    say(console, f"{snapshot.arn} is as it should be: {rows:,} rows in {files:,} objects, all encrypted.")
    return 0


def show_logs(project: Project, console: Console, execution: str | None) -> int:
    """Print the logs of an execution's processing jobs, by default of the newest execution."""
    session = project.session
    sagemaker = session.client("sagemaker")
    execution = execution or _newest(project)
    say(console, f"Execution {execution}")
    for step in take_snapshot(sagemaker, execution).steps:
        if step.reused_from:
            again = invocation(project.environment, "logs", "--execution", step.reused_from)
            say(console, f"Step {step.name} reused the result of {step.reused_from}; its log: {again}")
            continue
        say(console, f"Step {step.name}: {step.status}, job {step.job or 'not started'}")
        if not step.job:
            continue
        for line in read_lines(session.client("logs"), step.job, milliseconds(step.started)):
            say(console, f"{line.stream.rsplit('/', 1)[-1]}  {line.text}")
    return 0


def _newest(project: Project) -> str:
    """Return the ARN of the newest execution.

    Raises:
        UserError: there is none.
    """
    executions = list_executions(project.session.client("sagemaker"), project.name, project.environment)
    if not executions:
        raise UserError(
            f"{project.name} was never executed. Start it: {invocation(project.environment, 'start')}"
        )
    return executions[0].arn


def run_once(environment: Environment) -> str:
    """Upsert the pipeline and start it; return the execution's ARN at once."""
    logging.getLogger(__name__).info("Reading the parameters of %s", environment)
    project = open_project(environment)
    upsert(project, Console(stderr=True))
    value = input_fingerprint(
        project.session.client("s3"), project.parameters.pyspark_process_data_input, environment
    )
    return start(project.session.client("sagemaker"), project.name, value, environment)
