"""Upload sample data."""

import argparse

from rich.console import Console

from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.executions.sample_data import upload_samples
from ml_pipeline.project import open_projects


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Upload the samples of the pipelines' inputs."""
    for project in open_projects(arguments.env, arguments.pipeline):
        s3 = project.session.client("s3")
        for line in upload_samples(s3, project.parameters, project.environment):
            print_line(console, line)
    return 0
