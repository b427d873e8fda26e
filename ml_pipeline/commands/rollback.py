"""Register an earlier version of a pipeline again."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.project import open_project
from ml_pipeline.releases.rollback import roll_back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    parser.add_argument(
        "--to",
        metavar="TO",
        help="a version, or the beginning of a commit or a code hash (default: the latest that succeeded)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Register an earlier definition again, by default the latest that succeeded."""
    roll_back(open_project(arguments.env, arguments.pipeline), console, arguments.to)
    return 0
