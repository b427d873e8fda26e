"""Write a report of an execution as one HTML page."""

import argparse
from pathlib import Path

from rich.console import Console

from helpers.command_line import print_line
from helpers.errors import UserError
from helpers.files import write_atomically
from ml_pipeline.commands import options
from ml_pipeline.definitions import ROOT
from ml_pipeline.executions.executions import newest
from ml_pipeline.executions.target import select_pipelines
from ml_pipeline.project import Project, open_project

FOLDER = ROOT / ".cache" / "reports"
"""The default folder of reports; Git ignores it, and `make clean` deletes it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    options.add_execution(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"the page (default: {FOLDER.relative_to(ROOT)}/<pipeline>-<execution ID>.html)",
    )
    parser.add_argument(
        "--without-data",
        action="store_true",
        help="leave out values of the data: rejected rows and columns",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the report of an execution, by default of the latest one of each pipeline."""
    pipelines = select_pipelines(arguments.pipeline)
    if len(pipelines) > 1 and (arguments.output or arguments.execution):
        raise UserError(
            "--output and --execution are for one pipeline", hint="Name it, for example: PIPELINE=processing"
        )
    for pipeline in pipelines:
        project = open_project(arguments.env, pipeline.name)
        arn = arguments.execution or newest(project.session.client("sagemaker"), project.target)
        path = write_report(project, arn, arguments.output, with_data=not arguments.without_data)
        print_line(console, f"Wrote {path}")
    return 0


def write_report(project: Project, arn: str, path: Path | None = None, *, with_data: bool = True) -> Path:
    """Write the report of an execution and return its path.

    Args:
        project: the pipeline.
        arn: an execution of the pipeline.
        path: the output file; by default, a file for the execution in `.cache/reports/`.
        with_data: whether to show values of the data: rejected rows and columns.

    Raises:
        ClientError: the execution does not exist, or it may not be read.
        UserError: the file cannot be written.
    """
    # Imported here, because other commands need neither charts nor templates.
    from ml_pipeline.execution_report.collect import collect  # noqa: PLC0415
    from ml_pipeline.execution_report.page import render  # noqa: PLC0415

    if path is None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{project.name}-{arn.rpartition('/')[2]}.html"
    write_atomically(path, render(collect(project, arn, with_data=with_data)))
    return path
