"""The command line: `python -m helpers.spark.sizing --instance TYPE --count N`."""

import argparse
import sys
from collections.abc import Sequence

from helpers.command_line import run_command
from helpers.spark.sizing.command import add_arguments, show_sizes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.spark.sizing",
        description="Sizes executors, driver and YARN for a cluster, and explains each figure.",
        allow_abbrev=False,
    )
    add_arguments(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return run_command(show_sizes, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
