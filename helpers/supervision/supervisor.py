"""Runs one command and leaves nothing of it behind; started as a script, in a session of its own.

    python -I -S supervisor.py GRACE_SECONDS COMMAND [ARGUMENTS]

Standard input is a pipe from whoever started it. When that ends, because a stop was asked for or because
the other process died, whatever way, all processes of the session are ended. The same happens when the
command ends by itself, so no executor or Python worker outlives it. A session and not a process group is
what counts, because Spark's Python workers make groups of their own.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

POLL_SECONDS = 0.05


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code, as a shell has it."""
    grace, command = float(arguments[0]), arguments[1:]
    # Whoever asks this process to go means the job.
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, restore_signals=True)
    while child.poll() is None and not stopping:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable and not os.read(0, 1):
            stopping.append(True)
    end_session(os.getsid(0), grace if stopping else 0)
    code = child.wait()
    return code if code >= 0 else 128 - code


def end_session(session: int, grace: float) -> None:
    """End the processes of a session, except this one: SIGTERM, and later SIGKILL for what is left."""
    deadline = time.monotonic() + grace
    told: set[int] = set()
    while time.monotonic() < deadline and (living := members(session)):
        # Once for each: also for one that a sibling started while we were looking.
        _signal((process for process in living if process not in told), signal.SIGTERM)
        told.update(living)
        time.sleep(POLL_SECONDS)
    while living := members(session):
        _signal(living, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def members(session: int) -> list[int]:
    """Return the living processes of a session, without this one."""
    living = _living_by_proc() if os.path.exists("/proc/self/stat") else _living_by_ps()  # noqa: PTH110 -- quick to start
    found = []
    for process in living:
        # A process may end between being listed and being asked.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if process != os.getpid() and os.getsid(process) == session:
                found.append(process)
    return found


def _living_by_proc() -> list[int]:
    """Return the processes that are no zombies, on Linux, where an image may come without ps."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 -- as above
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 -- as above
                # The state follows the program's name, which stands in parentheses and may hold any.
                if file.read().rpartition(b")")[2].split()[0] != b"Z":
                    found.append(int(name))
    return found


def _living_by_ps() -> list[int]:
    """Return the processes that are no zombies, on macOS."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], stdout=subprocess.PIPE, check=True)  # noqa: S607 -- its place differs
    rows = [line.split() for line in listing.stdout.decode().splitlines()]
    return [int(row[0]) for row in rows if not row[1].startswith("Z")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
