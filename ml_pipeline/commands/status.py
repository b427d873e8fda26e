"""Show the status of the latest execution."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import print_line
from helpers.errors import UserError
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import newest, take_snapshot
from ml_pipeline.executions.outcome import read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.target import ALL, targets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show the latest execution of each pipeline, as `start` does when it ends."""
    session = connect(arguments.env)
    sagemaker = session.client("sagemaker")
    for target in targets(arguments.env, arguments.pipeline):
        try:
            execution = newest(sagemaker, target)
        except UserError as error:
            if arguments.pipeline != ALL:
                raise
            print_line(console, str(error))
            continue
        snapshot = take_snapshot(sagemaker, execution)
        print_line(console, summary(snapshot, read_outcomes(session, snapshot), target))
    return 0
