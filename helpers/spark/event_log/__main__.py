"""The command line: `python -m helpers.spark.event_log PATH_OR_URI`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.aws import Session
from helpers.command_line import run_command
from helpers.spark.event_log.configuration import change
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.report import report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_run, _parser().parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    s3 = Session().client("s3") if "://" in arguments.source else None
    run = read(arguments.source, s3)
    found = findings(run)
    print(report(run, found))
    if arguments.write:
        print("\n" + change(arguments.write, found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.spark.event_log",
        description="Analyzes a Spark event log: where time was spent, and what to change.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "source", help="a log, a folder of logs (the newest is used), or an s3:// URI of either"
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="change the settings in this configuration.json, or create it",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
