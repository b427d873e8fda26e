"""Start an execution, follow it, and show its result."""

import argparse
import math
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import INTERRUPTED, positive, print_line
from helpers.errors import UserError
from helpers.progress import Progress, progress
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import list_executions, start
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.parameters import NotReadyError
from ml_pipeline.executions.quotas import instances_needed, insufficient_quotas
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.target import ALL, Target, startable_pipelines, target_of
from ml_pipeline.executions.waiting import wait

if TYPE_CHECKING:
    from boto3 import Session

    from ml_pipeline.registry import Package  # part: model life cycle

STILL_RUNNING = 75
"""Exit code if an execution is still running: EX_TEMPFAIL of sysexits.h."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    add_execution_options(parser)
    parser.add_argument(
        "--since",
        type=_time,
        metavar="TIME",
        help="continue the runs started since then: follow running executions, skip successful ones",
    )
    parser.add_argument(
        "--minutes",
        type=positive,
        default=math.inf,
        metavar="N",
        help=f"wait no longer; an execution that still runs continues, and the exit code is {STILL_RUNNING}",
    )
    parser.add_argument(
        "--state",
        action="store_true",
        help="write running=true or running=false to the outputs of a workflow step; exit with 0 for both",
    )


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time, as 2026-11-28T12:00:00Z") from error
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no time zone, as 2026-11-28T12:00:00Z has")
    return found


def add_execution_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for an execution, which `run` has too."""
    parser.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="follow the execution to its end (default)",
    )
    parser.add_argument(
        "--cache", choices=["on", "off"], default="on", help="off: run even if nothing changed (default: on)"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Start executions, one pipeline after the other; stop at the first that fails."""
    if arguments.state and "GITHUB_OUTPUT" not in os.environ:
        raise UserError(
            "--state is for a step of a workflow, and GITHUB_OUTPUT is not set", hint="Leave --state out"
        )
    session = connect(arguments.env)
    pipelines = startable_pipelines(arguments.pipeline, arguments.env)
    needed = instances_needed(arguments.env, pipelines)
    for line in insufficient_quotas(session.client("service-quotas"), needed):
        print_line(console, line)
    until = time.monotonic() + arguments.minutes * 60
    code = 0
    selected = [target_of(arguments.env, each) for each in pipelines]
    with progress("start", arguments.env, [*map(execution_step, selected)], console) as steps:
        for target in selected:
            arn = _continued(session, target, arguments.since) if arguments.since else None
            if arn is None:
                arn = begin_if_possible(session, target, console, arguments)
            if arn and arguments.wait and (code := follow(session, arn, target, console, steps, until)):
                break
    if arguments.state:
        with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
            outputs.write(f"running={str(code == STILL_RUNNING).lower()}\n")
        code = 0 if code == STILL_RUNNING else code
    return code


def _continued(session: "Session", target: Target, since: datetime) -> str | None:
    """Return the execution of a pipeline that an earlier job has started, unless it failed."""
    newest = next(list_executions(session.client("sagemaker"), target), None)
    if newest and newest.started >= since and (newest.active or newest.status == "Succeeded"):
        return newest.arn
    return None


def begin_if_possible(
    session: "Session", target: Target, console: Console, arguments: argparse.Namespace
) -> str | None:
    """Start an execution, show its ARN and return it; with all pipelines, skip one that is not ready.

    Raises:
        NotReadyError: a prerequisite is missing, and only this pipeline was selected.
    """
    try:
        return begin(session, target, console, use_cache=arguments.cache == "on")
    except NotReadyError as error:
        if arguments.pipeline != ALL:
            raise
        print_line(console, f"{target.name} was not started. {error}")
        return None


def begin(
    session: "Session",
    target: Target,
    console: Console,
    *,
    use_cache: bool = True,
    package: "Package | None" = None,  # part: model life cycle
) -> str:
    """Start an execution for the active version or another one, show its ARN and return it."""
    arn = start(
        session,
        target,
        use_cache=use_cache,
        package=package,  # part: model life cycle
    )
    print_line(console, f"Started {arn}")
    return arn


def execution_step(target: Target) -> str:
    """Return the progress step in which a pipeline executes."""
    return f"execution of {target.name}"


def follow(
    session: "Session",
    arn: str,
    target: Target,
    console: Console,
    steps: Progress,
    until: float = math.inf,
) -> int:
    """Wait for an execution, and show its result; return the exit code."""
    with steps.step(execution_step(target)) as step:
        snapshot, interrupted = wait(session, arn, target, console, until)
        if snapshot.status != "Succeeded" or all(each.reused_from for each in snapshot.steps):
            step.discard()
    if not snapshot.over:
        print_line(console, f"{arn} still runs.")
        return STILL_RUNNING
    print_line(console, "\n" + summary(snapshot, read_outcomes(session, snapshot), target))
    if interrupted:
        return INTERRUPTED
    if snapshot.status == "Succeeded":
        return 0
    print_line(console, f"\nThe whole log: {target.command('logs')}")
    return 1
