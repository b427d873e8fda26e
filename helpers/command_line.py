"""Common parts of the command lines: options, and how commands end."""

import argparse
import math
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from helpers.environments import LOCAL, Environment
from helpers.errors import UserError, explain

if TYPE_CHECKING:
    from rich.console import Console

INTERRUPTED = 130
"""Exit code after Ctrl-C (128 + SIGINT), as in shells."""
BROKEN_PIPE = 141
"""Exit code if nobody reads the output any more (128 + SIGPIPE), for example by `head`."""
_REPORT = "Report this defect with the traceback above"


def common_options() -> argparse.ArgumentParser:
    """Return a parent parser with `--env` and `-v`, for `argparse.ArgumentParser(parents=[…])`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env",
        type=environment,
        default=LOCAL,
        metavar="ENV",
        help="a file of infra/parameters/, or pr-<number> for a preview (default: %(default)s)",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return parser


def make_command(target: str, **variables: str) -> str:
    """Return a make command for a message, such as `make logs ENV=dev`."""
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    return " ".join(["make", target, *words])


def positive(text: str) -> float:
    """Return a finite number above 0, for `add_argument(type=positive)`.

    Raises:
        argparse.ArgumentTypeError: the text is not such a number.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def environment(text: str) -> Environment:
    """Return an environment, for `add_argument(type=environment)`.

    Raises:
        argparse.ArgumentTypeError: there is no such environment.
    """
    try:
        return Environment(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run_command(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command and return its exit code. Print an error as one message, with `-v` also its traceback.

    Args:
        command: takes the parsed arguments and returns an exit code.
        arguments: the parsed arguments; if they have a true `verbose`, tracebacks are printed.
    """
    try:
        code = command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout at exit
        return BROKEN_PIPE
    except KeyboardInterrupt as interruption:
        print("\n".join(["Interrupted.", *_notes(interruption)]), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        known = explain(error)
        if known is None or getattr(arguments, "verbose", False):
            traceback.print_exc()
        known = known or UserError(repr(error), hint=_REPORT)
        hint = [f"Hint: {known.hint}"] if known.hint else []
        print("\n".join([f"Error: {known.message}", *_notes(error), *hint]), file=sys.stderr)
        return 1
    else:
        return code


@contextmanager
def continuing_on_aws(what: str, watch: str, stop: str = "") -> Iterator[None]:
    """Add notes to an exception that ends a wait: what continues on AWS, and how to watch and stop it.

    `run_command` prints the notes of an exception.

    Args:
        what: what continues, such as `execution ARN`.
        watch: the command that shows its progress.
        stop: the command that stops it, if there is one.
    """
    try:
        yield
    except BaseException as error:
        error.add_note(f"Continues on AWS: {what}")
        error.add_note(f"Watch it with: {watch}")
        if stop:
            error.add_note(f"Stop it with: {stop}")
        raise


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def print_line(console: "Console", text: str) -> None:
    """Print text without markup and without wrapping, so that it can be copied."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
