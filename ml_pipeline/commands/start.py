"""Start an execution, follow it, and show how it ended."""

import argparse
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import INTERRUPTED, say
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import start
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.target import Target, targets
from ml_pipeline.executions.waiting import wait

if TYPE_CHECKING:
    from boto3 import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    add_execution_options(parser)


def add_execution_options(parser: argparse.ArgumentParser) -> None:
    """Add how to start, which `run` has as well."""
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
    """Start executions, one pipeline after the other; stop at the first that does not succeed."""
    session = connect(arguments.env)
    for target in targets(arguments.env, arguments.pipeline):
        code = start_and_follow(
            session, target, console, waiting=arguments.wait, use_cache=arguments.cache == "on"
        )
        if code:
            return code
    return 0


def start_and_follow(
    session: "Session", target: Target, console: Console, *, waiting: bool, use_cache: bool
) -> int:
    """Start an execution, wait for it if asked to, and show how it ended."""
    arn = start(session, target, use_cache=use_cache)
    say(console, f"Started {arn}")
    if not waiting:
        return 0
    snapshot, interrupted = wait(session, arn, console)
    say(console, "\n" + summary(snapshot, read_outcomes(session, snapshot), target))
    if interrupted:
        return INTERRUPTED
    if snapshot.status == "Succeeded":
        return 0
    say(console, f"\nThe whole log: {target.command('logs')}")
    return 1
