"""Starts a supervised command, forwards its output, and stops it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from helpers.supervision import supervisor

GRACE_SECONDS = 10.0
_DRAIN_SECONDS = 5.0
_STOP_POLL_SECONDS = 0.1


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    log: Callable[[str], None],
    stop: threading.Event,
    grace: float = GRACE_SECONDS,
) -> int:
    """Run a command with exactly the environment given, and return its exit code.

    It ends, with every process that it started, when `stop` is set or when this process dies.

    Args:
        command: the program and its arguments.
        environment: all its variables; nothing is inherited.
        folder: its working directory.
        log: takes each line of its standard output and error.
        stop: ends it when set.
        grace: seconds between SIGTERM and SIGKILL when it is stopped.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__, str(grace), *command],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.PIPE,  # nobody writes to it: it ends when we close it or die
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reader = threading.Thread(target=_hand_on, args=(process, log), daemon=True)
    reader.start()
    try:
        while process.poll() is None and not stop.is_set():
            try:
                process.wait(_STOP_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        _close(process)
        return process.wait()
    finally:
        _close(process)
        process.wait()
        # A supervisor that was killed itself could not clear up.
        supervisor.end_session(process.pid, 0)
        reader.join(_DRAIN_SECONDS)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _hand_on(process: subprocess.Popen[bytes], log: Callable[[str], None]) -> None:
    if process.stdout is not None:
        with process.stdout as output:
            for line in output:
                log(line.decode(errors="replace").rstrip("\r\n"))


def inherited(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the few variables of this process that a container may see: no credentials, no settings."""
    variables = os.environ if environment is None else environment
    names = ("PATH", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
    return {name: variables[name] for name in names if name in variables}
