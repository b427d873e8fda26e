"""How commands end."""

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import pytest

from helpers.command_line import continuing_on_aws, run_command
from helpers.errors import UserError

PROGRAM = """
import argparse, sys
from helpers.command_line import run_command
def command(_):
    print("a line\\n" * 100_000)
    return 0
sys.exit(run_command(command, argparse.Namespace()))
"""


def test_a_command_ends_quietly_when_its_reader_has_closed_the_pipe() -> None:
    """For example, in `make events | head`."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line\n"
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait() == 128 + 13


def waiting(end: BaseException) -> Callable[[argparse.Namespace], NoReturn]:
    """Return a command that ends while it waits for an execution."""

    def command(_: argparse.Namespace) -> NoReturn:
        with continuing_on_aws("execution arn:x", watch="make status ENV=dev", stop="make stop ENV=dev"):
            raise end

    return command


ON_AWS = (
    "Continues on AWS: execution arn:x\nWatch it with: make status ENV=dev\nStop it with: make stop ENV=dev\n"
)


def test_ctrl_c_reports_what_continues_on_aws(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(waiting(KeyboardInterrupt()), argparse.Namespace()) == 130

    assert capsys.readouterr().err == f"Interrupted.\n{ON_AWS}"


def test_an_error_reports_what_continues_on_aws_before_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    error = UserError("no answer", hint="Check the network")

    assert run_command(waiting(error), argparse.Namespace()) == 1
    assert capsys.readouterr().err == f"Error: no answer\n{ON_AWS}Hint: Check the network\n"


def test_a_defect_is_shown_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(waiting(ZeroDivisionError("x")), argparse.Namespace()) == 1

    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith(
        f"Error: ZeroDivisionError('x')\n{ON_AWS}Hint: Report this defect with the traceback above\n"
    )
