"""The commands: each reads what it needs, decides with pure functions, and tells what it did."""

import json
import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers.aws import Environment, connect, is_preview
from helpers.command_line import INTERRUPTED
from helpers.errors import UserError, one_per_line
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.drift import DRIFTED, find_drift, show_drift
from helpers.infra.stacks.drift import as_document as drift_document
from helpers.infra.stacks.outputs import undeployed
from helpers.infra.stacks.plan import plan_all
from helpers.infra.stacks.standing_costs import standing_costs
from helpers.infra.stacks.teardown import refuse_prod, teardown
from helpers.pricing import load_prices
from ml_pipeline.checks import findings
from ml_pipeline.cost import run_cost, run_seconds
from ml_pipeline.executions import Execution, list_executions, start, stop, take_snapshot
from ml_pipeline.history import SHOWN_VERSIONS, Entry, Origin, as_document, entries, last_executions, record
from ml_pipeline.input_data import input_fingerprint, provide_sample
from ml_pipeline.invocation import invocation
from ml_pipeline.job_logs import milliseconds, read_lines
from ml_pipeline.outcome import read_outcomes
from ml_pipeline.params import pipeline_name
from ml_pipeline.params.documents import read_document
from ml_pipeline.pipeline_drift import PipelineDrift, pipeline_drift
from ml_pipeline.pipeline_drift import as_document as pipeline_document
from ml_pipeline.pipeline_drift import lines as pipeline_lines
from ml_pipeline.plan_markdown import Costs, PipelinePlan, section
from ml_pipeline.project import Project, open_project, say
from ml_pipeline.registration import difference, registered
from ml_pipeline.registration import upsert as register
from ml_pipeline.revision import commit
from ml_pipeline.rollback import last_good, meant, refuse_what_would_not_run
from ml_pipeline.staging import code_hash, read_code, stage_code
from ml_pipeline.summary import summary
from ml_pipeline.verification import problems, read_written
from ml_pipeline.waiting import wait

if TYPE_CHECKING:
    from boto3 import Session


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


def plan(environment: Environment, console: Console) -> int:
    """Show what `upsert` would change."""
    if waiting := _waits_for(connect(environment), environment):
        say(console, waiting)
        return 0
    project = open_project(environment)
    old = registered(project.session.client("sagemaker"), project.name)
    lines = difference(old, project.registration)
    if old is None:
        say(console, f"{project.name} is new:")
    if not lines:
        say(console, f"{project.name} is up to date, nothing would change.")
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(line, style=style), soft_wrap=True)
    return 0


def _waits_for(session: "Session", environment: Environment) -> str:
    """Return why a pipeline cannot be planned yet, or an empty string."""
    missing = undeployed(session.client("cloudformation"), environment)
    if not missing:
        return ""
    return f"The pipeline cannot be planned before the stacks are deployed: {', '.join(missing)}."


def plan_markdown(environment: Environment) -> int:
    """Print what a deployment and an upsert would change, and what it costs, as Markdown.

    Returns:
        1 when the pipeline cannot be made of its parameters, which the text then says.
    """
    session = connect(environment)
    stacks = load_stacks(environment)
    changes = list(plan_all(session.client("cloudformation"), stacks))
    pipeline: PipelinePlan | str = _waits_for(session, environment)
    prices, code, run = load_prices(), 0, None
    if not pipeline:
        try:
            project = open_project(environment)
            sagemaker = session.client("sagemaker")
            old = registered(sagemaker, project.name)
            pipeline = PipelinePlan(project.name, old, project.registration)
            executions = list_executions(sagemaker, project.name, environment) if old else []
            run = run_cost(project.parameters, run_seconds(sagemaker, executions), prices)
        except UserError as error:
            pipeline, code = f"The pipeline cannot be made: {error}", 1
    costs = Costs(prices.as_of, prices.region, standing_costs(stacks, prices), run)
    account = session.client("sts").get_caller_identity()["Account"]
    print(section(environment, changes, pipeline, costs, account), end="")
    return code


def drift(environment: Environment, console: Console, *, as_json: bool) -> int:
    """Tell the drift of the stacks and of the pipeline; nothing is changed.

    Returns:
        3 where there is any.
    """
    session = connect(environment)
    found = find_drift(session.client("cloudformation"), load_stacks(environment))
    waiting = _waits_for(session, environment)
    pipeline = None if waiting else _pipeline_drift(open_project(environment))
    drifted = any(found) or bool(pipeline)
    if as_json:
        document = drift_document(environment, found)
        said = pipeline_document(pipeline) if pipeline is not None else None
        print(json.dumps({**document, "drifted": drifted, "pipeline": said}, indent=2))
    else:
        show_drift(environment, found, console)
        for line in [waiting] if pipeline is None else pipeline_lines(pipeline, environment):
            say(console, line)
    return DRIFTED if drifted else 0


def _pipeline_drift(project: Project) -> PipelineDrift:
    there = registered(project.session.client("sagemaker"), project.name)
    newest = next(entries(project.session.client("s3"), project.artifact_bucket), None)
    return pipeline_drift(project.name, there, newest, project.registration)


def check(project: Project, console: Console) -> int:
    """Tell which controls the steps of the pipeline lack."""
    return _tell_findings(project.name, json.loads(project.registration.definition), console)


def check_file(path: Path, console: Console) -> int:
    """Tell which controls the steps of a definition in a file lack; nothing is asked of AWS.

    Raises:
        UserError: the file holds no definition.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    document = read_document(path)
    return _tell_findings(document.name, document.values, console)


def _tell_findings(name: str, definition: Mapping[str, Any], console: Console) -> int:
    found = findings(definition)
    for finding in found:
        say(console, f"{name}: {finding}")
    say(console, f"{name}: {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return 1 if found else 0


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
    say(console, f"Pipeline {project.name} {done}{_recorded(entry)}.")
    return 0


def _recorded(entry: Entry | None) -> str:
    return f", version {entry.version}" if entry else ""


def show_history(project: Project, console: Console, *, as_json: bool, all_versions: bool) -> int:
    """Tell what was upserted when, by whom, and how its last execution ended."""
    listed = islice(
        entries(project.session.client("s3"), project.artifact_bucket),
        None if all_versions else SHOWN_VERSIONS,
    )
    newest_first = list(listed)
    executions = _last_executions(project, newest_first)
    document = as_document(newest_first, executions)
    if as_json:
        print(json.dumps(document, indent=2))
        return 0
    if not document:
        say(console, f"{project.name} was not upserted yet, or before there was a history.")
        return 0
    table = Table(
        "Version", "Time (UTC)", "Who", "Commit", "Code", "Definition", "Last execution", title=project.name
    )
    for entry in newest_first:
        execution = executions.get(entry.version)
        back = f" (back to {entry.rolled_back_to})" if entry.rolled_back_to else ""
        table.add_row(
            f"{entry.version}{back}",
            f"{entry.time:%Y-%m-%d %H:%M:%S}",
            entry.who.rsplit(":", 1)[-1],
            entry.commit[:12] + ("-dirty" if entry.commit.endswith("-dirty") else ""),
            entry.code_hash,
            entry.definition_hash,
            f"{execution.status} {execution.started:%Y-%m-%d %H:%M}" if execution else "none",
        )
    console.print(table)
    return 0


def rollback(project: Project, console: Console, to: str | None) -> int:
    """Register an earlier definition again, by default the last one that was executed well.

    Raises:
        UserError: it is not known which one is meant, or that one would not run any more.
    """
    s3 = project.session.client("s3")
    listed = list(entries(s3, project.artifact_bucket))
    if not listed:
        raise UserError(f"{project.name} has no history in {project.artifact_bucket}: there is no way back.")
    entry = meant(listed, to) if to else last_good(listed, _last_executions(project, listed))
    known = [*project.outputs.values(), project.parameters.model_dump_json()]
    refuse_what_would_not_run(s3, entry, project.artifact_bucket, known, project.environment)
    done = register(project.session.client("sagemaker"), project.name, entry.registration)
    if done == "unchanged":
        say(console, f"Version {entry.version} is what is registered as {project.name}, nothing was changed.")
        return 0
    new = record(
        project.session,
        project.name,
        project.artifact_bucket,
        entry.registration,
        Origin(entry.commit, entry.code_hash, rolled_back_to=entry.version),
        changed=True,
    )
    say(
        console,
        f"Pipeline {project.name} {done}: back to version {entry.version} of commit {entry.commit}"
        f"{_recorded(new)}.",
    )
    return 0


def _last_executions(project: Project, listed: Sequence[Entry]) -> Mapping[int, Execution]:
    sagemaker = project.session.client("sagemaker")
    if registered(sagemaker, project.name) is None:
        return {}
    return last_executions(listed, list_executions(sagemaker, project.name, project.environment))


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


def delete(project: Project, console: Console) -> int:
    """Delete the pipeline; what it has written stays."""
    _delete_pipeline(project.session, project.name, project.environment, console)
    return 0


def _delete_pipeline(session: "Session", name: str, environment: Environment, console: Console) -> None:
    """Delete a pipeline, if there is one.

    Raises:
        UserError: an execution runs. That of a preview is stopped instead: nobody waits for it.
    """
    sagemaker = session.client("sagemaker")
    if registered(sagemaker, name) is None:
        say(console, f"There is no pipeline {name}.")
        return
    for running in [e for e in list_executions(sagemaker, name, environment) if e.active]:
        if not is_preview(environment):
            stopping = invocation(environment, "stop")
            raise UserError(f"An execution is {running.status}: {running.arn}. Stop it first: {stopping}")
        stop(sagemaker, running.arn)
        wait(sagemaker, session.client("logs"), running.arn, console)
    sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=str(uuid4()))
    say(console, f"Pipeline {name} deleted.")


def tear_down(environment: Environment, console: Console, *, ask: bool, allow_prod: bool) -> int:
    """Delete the pipeline, then the stacks that it stands on."""
    refuse_prod(environment, allowed=allow_prod)
    session = connect(environment)
    name = pipeline_name(environment)
    teardown(
        session,
        load_stacks(environment),
        console,
        confirm=input if ask else None,
        before=lambda: _delete_pipeline(session, name, environment, console),
    )
    return 0


def run_once(environment: Environment) -> str:
    """Upsert the pipeline and start it; return the execution's ARN at once."""
    logging.getLogger(__name__).info("Reading the parameters of %s", environment)
    project = open_project(environment)
    upsert(project, Console(stderr=True))
    value = input_fingerprint(
        project.session.client("s3"), project.parameters.pyspark_process_data_input, environment
    )
    return start(project.session.client("sagemaker"), project.name, value, environment)
