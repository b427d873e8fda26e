"""The command line: `python -m ml_pipeline COMMAND --env ENV`; `--help` lists the commands."""

import argparse
import gc
import sys
from collections.abc import Sequence

from rich.console import Console

from helpers.command_line import common_options, run_command
from ml_pipeline.commands import COMMANDS, load_command

OBJECTS_BEFORE_A_COLLECTION = 100_000
"""With Python's default of 700, garbage collection during imports takes a sixth of a short command's time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    gc.set_threshold(OBJECTS_BEFORE_A_COLLECTION)
    words = sys.argv[1:] if arguments is None else list(arguments)
    return run_command(_run, _parser(words[0] if words else "").parse_args(words))


def _run(arguments: argparse.Namespace) -> int:
    # Without a terminal, output goes to a log, whose lines must not be wrapped.
    console = Console(width=None if sys.stdout.isatty() else 200, soft_wrap=not sys.stdout.isatty())
    return load_command(arguments.command).run(arguments, console)


def _parser(called: str) -> argparse.ArgumentParser:
    """Return the parser. Only the module of the called command is imported, which saves time."""
    common = common_options()
    parser = argparse.ArgumentParser(
        prog="python -m ml_pipeline", description="The pipelines of an environment.", allow_abbrev=False
    )
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser
    for name, text in COMMANDS.items():
        command = add(name, help=text, description=text, parents=[common], allow_abbrev=False)
        if name == called:
            load_command(name).add_arguments(command)
    return parser


if __name__ == "__main__":
    exit_code = main()
    gc.freeze()  # excludes imported objects from the collection at exit
    sys.exit(exit_code)
