"""Create the files of a new pipeline."""

import argparse

from rich.console import Console

from helpers.command_line import make_command, print_line
from ml_pipeline.scaffolding.files import new_pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--name", required=True, help="the pipeline, such as fares")
    parser.add_argument("--step", default="", metavar="NAME", help="its step (default: prepare-<pipeline>)")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Create a module, a parameter file, and a job with its sample and its test."""
    for line in new_pipeline(arguments.name, arguments.step).apply():
        print_line(console, line)
    print_line(console, f"Run it: {make_command('run', PIPELINE=arguments.name)}")
    return 0
