"""Stop executions."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import active_executions, stop
from ml_pipeline.executions.target import targets
from ml_pipeline.executions.waiting import wait


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    options.add_execution(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Stop an execution, by default the running one, and wait until it has stopped."""
    session = connect(arguments.env)
    sagemaker = session.client("sagemaker")
    for target in targets(arguments.env, arguments.pipeline):
        named = [arguments.execution] if arguments.execution else []
        arns = named or [each.arn for each in active_executions(sagemaker, target)]
        if not arns:
            print_line(console, f"No execution of {target.name} is running.")
        for arn in arns:
            if not stop(sagemaker, arn):
                print_line(console, f"{arn} has already finished.")
                continue
            snapshot, _ = wait(session, arn, target, console)
            print_line(console, f"{arn} is {snapshot.status}.")
        if named:
            break
    return 0
