"""Approve a version of the model."""

import argparse

from rich.console import Console

from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.registry.approval import approve
from ml_pipeline.registry.group import open_group


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_model(parser)
    parser.add_argument(
        "--uncompared",
        action="store_true",
        help="also a version that an event trained, which was not compared with the active version",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Approve a version that can be served; it becomes the active version."""
    print_line(console, approve(open_group(arguments.env), arguments.model, uncompared=arguments.uncompared))
    return 0
