"""Delete a pipeline."""

import argparse

from rich.console import Console

from helpers.aws import connect
from ml_pipeline.commands import options
from ml_pipeline.executions.target import targets
from ml_pipeline.releases.removal import delete_pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Delete the pipelines; keep their data, code and logs."""
    session = connect(arguments.env)
    for target in targets(arguments.env, arguments.pipeline):
        delete_pipeline(session, target, console)
    return 0
