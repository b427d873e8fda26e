"""Analyze a Spark event log."""

import argparse
from pathlib import Path

from rich.console import Console

from helpers.command_line import print_line
from helpers.spark.event_log.configuration import change
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.report import report
from ml_pipeline.commands import options
from ml_pipeline.project import open_project
from ml_pipeline.spark.event_logs import newest_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    options.add_step(parser)
    options.add_execution(parser)
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="apply the recommendations to this configuration.json"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show where a step spent its time, and which settings to change."""
    project = open_project(arguments.env, arguments.pipeline)
    log = newest_log(project, arguments.execution, arguments.step)
    print_line(console, f"Step {log.step}: {log.uri}\n")
    profile = read(log.uri, project.session.client("s3"))
    found = findings(profile)
    print_line(console, report(profile, found))
    if arguments.write is not None:
        print_line(console, f"\n{change(arguments.write, found)}")
    return 0
