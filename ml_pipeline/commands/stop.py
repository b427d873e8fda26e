"""Stop executions."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import say
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import active_executions, stop
from ml_pipeline.executions.target import targets
from ml_pipeline.executions.waiting import wait


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    options.add_execution(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Stop an execution, by default whichever runs, and wait until it has stopped."""
    session = connect(arguments.env)
    sagemaker = session.client("sagemaker")
    if arguments.execution:
        arns = [arguments.execution]
    else:
        arns = []
        for target in targets(arguments.env, arguments.pipeline):
            running = [each.arn for each in active_executions(sagemaker, target)]
            arns += running
            if not running:
                say(console, f"No execution of {target.name} is running.")
    for arn in arns:
        if not stop(sagemaker, arn):
            say(console, f"{arn} has already finished.")
            continue
        snapshot, _ = wait(session, arn, console)
        say(console, f"{arn} is {snapshot.status}.")
    return 0
