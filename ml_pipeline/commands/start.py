"""Start an execution, follow it, and show how it ended."""

import argparse
import logging

from rich.console import Console

from helpers.command_line import INTERRUPTED
from helpers.environments import Environment
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import start
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.waiting import wait
from ml_pipeline.project import Project, open_project, open_projects, say
from ml_pipeline.releases.upsert import upsert_all


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
    for project in open_projects(arguments.env, arguments.pipeline):
        code = start_and_follow(project, console, waiting=arguments.wait, use_cache=arguments.cache == "on")
        if code:
            return code
    return 0


def start_and_follow(project: Project, console: Console, *, waiting: bool, use_cache: bool) -> int:
    """Start an execution, wait for it if asked to, and show how it ended."""
    session = project.session
    arn = start(session, project.target, use_cache=use_cache)
    say(console, f"Started {arn}")
    if not waiting:
        return 0
    snapshot, interrupted = wait(session.client("sagemaker"), session.client("logs"), arn, console)
    say(console, "\n" + summary(snapshot, read_outcomes(session, snapshot), project.target))
    if interrupted:
        return INTERRUPTED
    if snapshot.status == "Succeeded":
        return 0
    say(console, f"\nThe whole log: {project.target.command('logs')}")
    return 1


def run_once(environment: str, pipeline: str) -> str:
    """Upsert a pipeline and start it; return the execution's ARN at once."""
    logging.getLogger(__name__).info("Reading the parameters of %s", environment)
    project = open_project(Environment(environment), pipeline)
    upsert_all([project], Console(stderr=True))
    return start(project.session, project.target)
