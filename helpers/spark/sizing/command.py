"""The sizing command: explains the sizes of a cluster, and writes them to files."""

import argparse
import shutil
import textwrap
from pathlib import Path

from helpers.command_line import positive
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.instances import instance
from helpers.spark.sizing.cluster import Shape, Sizing, size
from helpers.spark.sizing.configuration import merged, read, render, settings
from helpers.spark.sizing.diagram import svg
from helpers.spark.sizing.report import html, markdown, summary

REPORTS = {".html": html, ".md": markdown, ".svg": svg}


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the options of the command.

    Args:
        parser: parser of the command.
        required: whether instance and count are required.
    """
    parser.add_argument(
        "--instance", required=required, metavar="TYPE", help="instance type, such as ml.m5.xlarge"
    )
    parser.add_argument("--count", required=required, type=int, metavar="N", help="number of instances")
    parser.add_argument("--data-gb", type=positive, metavar="GB", help="size of the input in 10⁹ bytes")
    parser.add_argument(
        "--shape", choices=[shape.value for shape in Shape], default="scan", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="a configuration.json; its other entries are kept"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help=".html with a diagram, .md without, .svg for only the diagram",
    )


def show_sizes(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code.

    Raises:
        UserError: the cluster cannot be sized, or a file cannot be read or written.
    """
    report: Path | None = arguments.report
    if report and report.suffix not in REPORTS:
        raise UserError(
            f"{report}: the name of a report does not end with {' or '.join(REPORTS)}",
            hint=f"Name it {report.stem}{REPORTS[0] if False else next(iter(REPORTS))}",
        )
    data = None if arguments.data_gb is None else int(arguments.data_gb * 1e9)
    sizing = size(instance(arguments.instance), arguments.count, data, Shape(arguments.shape))
    done = []
    if arguments.write:
        write_atomically(arguments.write, render(merged(read(arguments.write), sizing)))
        done.append(f"Written: {arguments.write}")
    if report:
        write_atomically(report, REPORTS[report.suffix](sizing))
        done.append(f"Report: {report}")
    print("\n".join([*_lines(sizing), "", *done]).rstrip())
    return 0


def _lines(sizing: Sizing) -> list[str]:
    width = min(shutil.get_terminal_size().columns, 110)
    lines = [*summary(sizing), ""]
    classification = ""
    for setting in settings(sizing):
        if setting.classification != classification:
            classification = setting.classification
            lines.append(classification)
        lines.append(f"  {setting.name} = {setting.value}")
        lines.append(
            textwrap.fill(f"{setting.rationale}.", width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        )
    return lines
