"""Starts, finds and stops the server of this checkout."""

import fcntl
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from helpers.errors import UserError
from helpers.local_aws.persistence.variable import KEEP, VARIABLE, is_kept
from helpers.local_aws.server_state import HEALTH_PATH, NOT_RUNNING, START, ServerState, answers

LOG_FILE = "server.log"
STOP_SECONDS = 20


def up(folder: Path, port: int) -> tuple[ServerState, bool]:
    """Return the running server, and whether it was started by this call.

    Raises:
        UserError: the server cannot be started; the message ends with its output. Or the running server does
            not keep its state although this process requires it.
    """
    keeps_state = is_kept()
    with _lock(folder):
        state = find(folder)
        if state and keeps_state and not state.keeps_state:
            raise UserError(
                f"The embedded AWS runs without {VARIABLE}={KEEP}, which counts when it starts",
                hint=f"End it, with what is deployed there (make down), or unset {VARIABLE}",
            )
        if state:
            return state, False
        _start(folder, port)
        state = find(folder)
        if state is None:
            raise _not_started("The embedded AWS ended while it started", folder / LOG_FILE)
        return state, True


def find(folder: Path) -> ServerState | None:
    """Return the running server, or None; remove the state file of a killed server."""
    state = ServerState.load(folder)
    if state and state.process() and answers(state, HEALTH_PATH):
        return state
    if state and not state.process():
        ServerState.remove(folder)
    return None


def require(folder: Path) -> ServerState:
    """Return the running server.

    Raises:
        UserError: no server is running.
    """
    state = find(folder)
    if state is None:
        raise UserError(NOT_RUNNING, hint=START)
    return state


def down(folder: Path) -> bool:
    """Stop the server and its jobs; return whether it was running."""
    with _lock(folder):
        state = ServerState.load(folder)
        process = state.process() if state else None
        if process:
            children = process.children(recursive=True)
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                for one in (process, *children):
                    _kill(one)
        ServerState.remove(folder)
        return process is not None


def shell_exports(state: ServerState, environment: Mapping[str, str]) -> str:
    """Return shell commands that direct AWS programs to the server; see `shell_lines`."""
    wanted = state.environment()
    dropped = [
        name
        for name in sorted(environment)
        if name.startswith("AWS_") and name != "AWS_CA_BUNDLE" and name not in wanted
    ]
    lines = [f"unset {name}" for name in dropped]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in wanted.items()]
    return "\n".join(lines)


def _without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") or name == "AWS_CA_BUNDLE"
    }


def _start(folder: Path, port: int) -> None:
    """Start the server in a separate session, and wait until it is ready or has ended."""
    reading, writing = os.pipe()
    try:
        with (folder / LOG_FILE).open("w") as log:
            options = [f"--port={port}", f"--ready={writing}"]
            subprocess.Popen(
                [sys.executable, "-m", "helpers.local_aws", "serve", *options],
                cwd=Path(__file__).parents[2],
                env={**_without_aws(os.environ), "LOCAL_AWS_HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[writing],
            )
    finally:
        os.close(writing)
    with os.fdopen(reading, "rb") as ready:
        if not ready.read():  # if the pipe closes without content, the server has ended
            raise _not_started("The embedded AWS did not start", folder / LOG_FILE)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Let only one command at a time start or stop the server."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _not_started(what: str, log: Path) -> UserError:
    """Return the error with the last line of the server's log, and with a hint."""
    lines = log.read_text(encoding="utf-8").strip().splitlines() if log.exists() else []
    hint = f"Look into {log}, then run: make up"
    if lines and lines[-1].startswith("Hint: "):
        hint = lines.pop().removeprefix("Hint: ")
    last = lines[-1].removeprefix("Error: ") if lines else "it logged nothing"
    return UserError(f"{what}: {last} (the whole log: {log})", hint=hint)
