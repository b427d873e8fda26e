"""Runs a command and leaves no process of it behind; started as a script in a separate session.

    python -I -S supervisor.py GRACE_SECONDS COMMAND [ARGUMENTS]

Standard input is a pipe from the process that started it. When the pipe closes, because a stop was requested
or because the other process died, all processes of the session are stopped. The same happens when the command
ends, so no executor or Python worker outlives it. The session is used instead of a process group, because
Spark's Python workers create their own groups. YARN starts each container in a separate session, so all
descendants are stopped too: on Linux, those whose parent ends become children of this process.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping

POLL_SECONDS = 0.05
_PR_SET_CHILD_SUBREAPER = 36
"""Of prctl(2)."""


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code, as a shell has it."""
    grace, command = float(arguments[0]), arguments[1:]
    _adopt_orphans()
    # Whoever asks this process to go means the job.
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, restore_signals=True)
    while child.poll() is None and not stopping:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable and not os.read(0, 1):
            stopping.append(True)
        _collect_orphans(child.pid)
    end_session(os.getsid(0), grace if stopping else 0)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends, where the system allows it."""
    with contextlib.suppress(AttributeError, OSError):  # macOS, where YARN starts no sessions
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _collect_orphans(command: int) -> None:
    """Collect adopted processes that have ended, which would stay as zombies; not the command itself."""
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(AttributeError, ChildProcessError):  # macOS, as above; or there is none
        while (found := os.waitid(os.P_ALL, 0, ended)) and found.si_pid != command:
            os.waitpid(found.si_pid, 0)


def end_session(session: int, grace: float) -> None:
    """End the processes of a session, and what descends from its leader, except this process itself.

    SIGTERM first, and later SIGKILL for what is left.
    """
    deadline = time.monotonic() + grace
    signaled: set[int] = set()
    while time.monotonic() < deadline and (living := members(session)):
        # Once for each: also for one that a sibling started while we were looking.
        _signal((process for process in living if process not in signaled), signal.SIGTERM)
        signaled.update(living)
        time.sleep(POLL_SECONDS)
    while living := members(session):
        _signal(living, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def members(session: int) -> list[int]:
    """Return the living processes of a session and the descendants of its leader, without this process."""
    parents = _parents_by_proc() if os.path.exists("/proc/self/stat") else _parents_by_ps()  # noqa: PTH110 -- quick to start
    found = []
    for process in parents:
        # A process may end between being listed and being asked.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if process != os.getpid() and (
                os.getsid(process) == session or _descends(process, session, parents)
            ):
                found.append(process)
    return found


def _descends(process: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    """Return whether a process descends from another."""
    while process in parents and process != ancestor:
        process = parents[process]
    return process == ancestor


def _parents_by_proc() -> dict[int, int]:
    """Return the parents of living processes on Linux, where an image may come without ps."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 -- as above
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 -- as above
                # The state follows the program's name, which stands in parentheses and may hold any.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state != b"Z":
                    found[int(name)] = int(parent)
    return found


def _parents_by_ps() -> dict[int, int]:
    """Return the parents of living processes on macOS."""
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    listing = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    rows = [line.split() for line in listing.stdout.decode().splitlines()]
    return {int(row[0]): int(row[1]) for row in rows if not row[2].startswith("Z")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
