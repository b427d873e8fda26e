"""Verify the newest execution."""

import argparse

from rich.console import Console

from helpers.command_line import say
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import newest, take_snapshot
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.verification import problems, read_written, warnings
from ml_pipeline.project import Project, open_projects


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Check that the newest executions did what their reports declare; return 1 if one did not."""
    return max(_verify(project, console) for project in open_projects(arguments.env, arguments.pipeline))


def _verify(project: Project, console: Console) -> int:
    session = project.session
    sagemaker = session.client("sagemaker")
    snapshot = take_snapshot(sagemaker, newest(sagemaker, project.target))
    outcomes = read_outcomes(session, snapshot)
    written = read_written(session.client("s3"), outcomes)
    found = problems(snapshot, outcomes, written, project.parameters.pyspark_process_output_kms)
    for warning in warnings(outcomes):
        say(console, f"Warning: {warning}")
    for problem in found:
        say(console, f"Verification failed: {problem}")
    if found:
        say(console, f"{snapshot.arn}: {len(found)} problem{'s' * (len(found) != 1)}")
        return 1
    files = sum(map(len, written.values()))
    say(console, f"{snapshot.arn} is verified: {files:,} objects, all encrypted.")
    return 0
