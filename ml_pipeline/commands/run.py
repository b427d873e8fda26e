"""Deploy, upload samples, upsert and start, in one process."""

import argparse
import importlib
import threading

from botocore.exceptions import ClientError
from rich.console import Console

from helpers.aws import connect
from helpers.command_line import INTERRUPTED, print_line
from helpers.errors import UserError, explain
from helpers.infra.stacks.configuration import stack_names
from helpers.infra.stacks.deploy import deploy_environment
from helpers.infra.stacks.outputs import missing_stacks
from helpers.progress import progress
from ml_pipeline.commands import options
from ml_pipeline.commands.start import add_execution_options, begin_if_possible, execution_step, follow
from ml_pipeline.executions.sample_data import upload_samples
from ml_pipeline.executions.target import startable_pipelines, target_of
from ml_pipeline.project import Project, open_projects
from ml_pipeline.releases.upsert import upsert_all

_REPORT = "ml_pipeline.commands.report"
"""Imported while the execution runs: its code takes a quarter of a second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    add_execution_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Update an environment and run its pipelines, one after the other."""
    # Report a typo before anything is deployed.
    startable = startable_pipelines(arguments.pipeline, arguments.env)
    session = connect(arguments.env)
    if missing_stacks(session.client("cloudformation"), arguments.env):
        # New stacks have new outputs, so definitions must be built: import the SDK meanwhile.
        _import_meanwhile("ml_pipeline.steps.sagemaker_sdk")
    executions = [execution_step(target_of(arguments.env, each)) for each in startable]
    names = [*stack_names(arguments.env), *(executions if arguments.wait else [])]
    with progress("run", arguments.env, names, console) as steps:
        deploy_environment(session, arguments.env, console, steps=steps)
        projects = open_projects(arguments.env, arguments.pipeline)
        for project in projects:
            for line in upload_samples(project.session.client("s3"), project.parameters, project.environment):
                print_line(console, line)
        upsert_all(projects, console)
        for project in (each for each in projects if each.pipeline in startable):
            arn = begin_if_possible(project.session, project.target, console, arguments)
            if arn is None or not arguments.wait:
                continue
            _import_meanwhile(_REPORT)
            code = follow(project.session, arn, project.target, console, steps)
            if code != INTERRUPTED:
                _show_report(project, arn, console)
            if code:
                return code
    return 0


def _show_report(project: Project, arn: str, console: Console) -> None:
    """Write the report of an execution; an error does not affect the execution."""
    from ml_pipeline.commands.report import write_report  # noqa: PLC0415 - imported meanwhile

    try:
        path = write_report(project, arn)
    except (ClientError, UserError) as error:
        print_line(console, f"\nThe execution report was not written: {explain(error)}")
    else:
        print_line(console, f"\nExecution report: {path.as_uri()}")


def _import_meanwhile(module: str) -> None:
    """Import a module in the background; whoever imports it next waits for that."""
    threading.Thread(target=importlib.import_module, args=[module], daemon=True).start()
