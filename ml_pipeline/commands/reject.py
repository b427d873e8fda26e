"""Reject a version of the model."""

import argparse

from rich.console import Console

from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.registry.approval import reject
from ml_pipeline.registry.group import open_group


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_model(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Reject a version; if it was active, the previously approved version becomes active."""
    print_line(console, reject(open_group(arguments.env), arguments.model))
    return 0
