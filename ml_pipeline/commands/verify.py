"""Verify the latest execution."""

import argparse
from collections.abc import Mapping, Sequence

from botocore.exceptions import ClientError
from rich.console import Console

from helpers.command_line import print_line
from helpers.errors import explain
from helpers.spark.event_log.reading import EventLogError
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import list_executions, newest, take_snapshot
from ml_pipeline.executions.job_report import Executors
from ml_pipeline.executions.outcome import StepOutcome, read_outcomes
from ml_pipeline.executions.target import ALL
from ml_pipeline.executions.verification import problems, read_written, warnings
from ml_pipeline.params.files import is_enabled
from ml_pipeline.project import Project, open_projects
from ml_pipeline.spark.event_logs import logged_executors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Verify that the latest executions match their reports; return 1 if one does not."""
    projects = open_projects(arguments.env, arguments.pipeline)
    if arguments.pipeline == ALL:
        projects = [each for each in projects if _is_executed(each, console)]
    return max(_verify(project, console) for project in projects)


def _is_executed(project: Project, console: Console) -> bool:
    """Return whether a pipeline is executed in its environment, and is not waiting for a model."""
    if not is_enabled(project.environment, project.pipeline.name):
        return False
    sagemaker = project.session.client("sagemaker")
    if project.parameters.needs_active_model and not next(list_executions(sagemaker, project.target), None):
        print_line(
            console, f"{project.name} was not executed yet: it needs an approved version of the model."
        )
        return False
    return True


def _verify(project: Project, console: Console) -> int:
    session = project.session
    sagemaker = session.client("sagemaker")
    snapshot = take_snapshot(sagemaker, newest(sagemaker, project.target))
    outcomes = read_outcomes(session, snapshot)
    written = read_written(session.client("s3"), outcomes)
    found = problems(snapshot, outcomes, written, project.parameters.pyspark_process_output_kms)
    for warning in warnings(outcomes, _logged_executors(project, outcomes, console)):
        print_line(console, f"Warning: {warning}")
    for problem in found:
        print_line(console, f"Verification failed: {problem}")
    if found:
        print_line(console, f"{snapshot.arn}: {len(found)} problem{'s' * (len(found) != 1)}")
        return 1
    files = sum(map(len, written.values()))
    print_line(console, f"{snapshot.arn} is verified: {files:,} objects, all encrypted.")
    return 0


def _logged_executors(
    project: Project, outcomes: Sequence[StepOutcome], console: Console
) -> Mapping[str, Executors]:
    try:
        return logged_executors(project, outcomes)
    except (EventLogError, ClientError) as error:  # a warning must not fail the command
        print_line(console, f"Warning: the executors are not known: {explain(error)}")
        return {}
