"""Create the files of a new step."""

import argparse

from rich.console import Console

from helpers.command_line import make_command, print_line
from ml_pipeline.commands import options
from ml_pipeline.scaffolding.files import new_step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    parser.add_argument("--name", required=True, help="the step, such as summarize")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Create a job with its test, and add the step to the pipeline's module and parameter file."""
    for line in new_step(arguments.pipeline, arguments.name).apply():
        print_line(console, line)
    print_line(console, f"Run it: {make_command('run', PIPELINE=arguments.pipeline)}")
    return 0
