"""How commands end."""

import subprocess
import sys

PROGRAM = """
import argparse, sys
from helpers.command_line import run_command
def command(_):
    print("a line\\n" * 100_000)
    return 0
sys.exit(run_command(command, argparse.Namespace()))
"""


def test_a_command_ends_quietly_when_nobody_reads_on() -> None:
    """As in `make events | head`."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line\n"
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait() == 128 + 13
