"""Tune the Spark settings of a step."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.project import open_project
from ml_pipeline.spark.tuning import tune


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    options.add_step(parser)
    parser.add_argument(
        "--rounds",
        type=options.count,
        default=5,
        metavar="N",
        help="maximum changes to try (default: %(default)s)",
    )
    parser.add_argument(
        "--pairs", type=options.count, default=2, metavar="N", help="runs of each side (default: %(default)s)"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Try recommended Spark settings, and keep those that are faster."""
    project = open_project(arguments.env, arguments.pipeline)
    return tune(project, console, arguments.step, arguments.rounds, arguments.pairs)
