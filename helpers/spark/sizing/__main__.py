"""`python -m helpers.spark.sizing`: explain the sizes for a cluster; write them, draw them."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from helpers.command_line import positive, run_command
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.instances import instance
from helpers.spark.sizing.cluster import Shape, Sizing, size
from helpers.spark.sizing.configuration import figures, merged, read, render
from helpers.spark.sizing.picture import svg
from helpers.spark.sizing.report import html, markdown, summary

REPORTS = {".html": html, ".md": markdown, ".svg": svg}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.spark.sizing",
        description="Sizes executors, driver and YARN for a cluster, and explains each figure.",
        allow_abbrev=False,
    )
    parser.add_argument("--instance", required=True, metavar="TYPE", help="as ml.m5.xlarge")
    parser.add_argument("--count", required=True, type=int, metavar="N", help="of instances")
    parser.add_argument("--data-gb", type=positive, metavar="GB", help="that the job reads, in 10⁹ bytes")
    parser.add_argument(
        "--shape", choices=[shape.value for shape in Shape], default="scan", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="a configuration.json; what it says besides stays"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help=".html with a picture, .md without, .svg the picture alone",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return run_command(_size, parser.parse_args(arguments))


def _size(arguments: argparse.Namespace) -> int:
    report: Path | None = arguments.report
    if report and report.suffix not in REPORTS:
        raise UserError(f"{report}: a report's name ends with {' or '.join(REPORTS)}")
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
    for figure in figures(sizing):
        if figure.classification != classification:
            classification = figure.classification
            lines.append(classification)
        lines.append(f"  {figure.name} = {figure.value}")
        lines.append(
            textwrap.fill(f"{figure.sentence}.", width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
