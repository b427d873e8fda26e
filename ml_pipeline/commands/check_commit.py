"""Check that a deployment of this commit would not replace a newer definition."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.executions.target import ALL, targets
from ml_pipeline.releases.outdated import reject_outdated
from ml_pipeline.releases.revision import commit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser, default=ALL)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Reject a commit that does not descend from the registered commit of a pipeline."""
    session = connect(arguments.env)
    found = targets(arguments.env, arguments.pipeline)
    for line in reject_outdated(session.client("sagemaker"), found, commit()):
        print_line(console, line)
    return 0
