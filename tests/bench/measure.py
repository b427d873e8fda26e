"""Measures the cost of commands: seconds, CPU seconds and memory of all their processes."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import pyspark

from helpers.files import write_atomically

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """The cost of one run."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    may_fail: bool = False,
    detached: bool = False,
) -> Cost:
    """Run a command; memory is the sum over its processes, so shared pages count several times.

    Args:
        command: the command.
        environment: its variables; by default those of this process.
        may_fail: print the output of a failed command instead of ending.
        detached: also count servers that a descendant started and that survive it.

    Raises:
        SystemExit: the command failed although it must succeed; its output is printed.
    """
    began = time.monotonic()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watch = _Watch(process.pid, detached=detached)
        watch.start()
        output, _ = process.communicate()
        seconds = time.monotonic() - began
        watch.end()
    if process.returncode:
        failure = f"{' '.join(command)}\n{output}\nended with exit code {process.returncode}"
        if not may_fail:
            sys.exit(failure)
        print(failure, file=sys.stderr, flush=True)
    return Cost(round(seconds, 3), round(watch.cpu_seconds, 2), round(watch.peak / 2**20, 1))


class _Watch(threading.Thread):
    """Polls a process and its descendants; the last values of each process count."""

    def __init__(self, pid: int, *, detached: bool):
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._detached = detached
        self._seen: set[psutil.Process] = set()
        self._used: dict[tuple[int, float], float] = {}
        self._ended = threading.Event()
        self.peak = 0

    @property
    def cpu_seconds(self) -> float:
        return sum(self._used.values())

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            total = 0
            try:
                processes = [self._root, *self._root.children(recursive=True)]
            except psutil.Error:
                continue
            if self._detached:
                processes = self._with_detached(processes)
            for process in processes:
                try:
                    times, memory = process.cpu_times(), process.memory_info().rss
                except psutil.Error:
                    continue
                self._used[process.pid, process.create_time()] = times.user + times.system
                total += memory
            self.peak = max(self.peak, total)

    def _with_detached(self, processes: list[psutil.Process]) -> list[psutil.Process]:
        """Return processes, those seen as descendants before, and the descendants of these."""
        found = set(processes)
        for process in self._seen - found:
            with suppress(psutil.Error):
                found |= {process, *process.children(recursive=True)}
        self._seen = {process for process in found if process.is_running()}
        return list(self._seen)

    def end(self) -> None:
        self._ended.set()
        self.join()


def in_turn(candidates: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, dict[str, Any]]:
    """Run each candidate once per round, so that other load affects all of them; return medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in candidates}
    for number in range(1, rounds + 1):
        for name, candidate in candidates.items():
            costs[name].append(candidate())
            print(f"round {number}: {name}: {costs[name][-1]}", file=sys.stderr, flush=True)
    return {name: median(runs) for name, runs in costs.items()}


def median(runs: Sequence[Cost]) -> dict[str, Any]:
    """Return the median of each figure, and each round's seconds."""
    each = [asdict(cost) for cost in runs]
    return {
        "seconds": statistics.median(cost["seconds"] for cost in each),
        "cpu_seconds": statistics.median(cost["cpu_seconds"] for cost in each),
        # Not the maximum: while a process forks, it counts twice for a moment.
        "peak_mib": statistics.median(cost["peak_mib"] for cost in each),
        "rounds": [cost["seconds"] for cost in each],
    }


def kept(file: Path) -> dict[str, Any]:
    """Return the figures in a file by section; empty if the file does not exist."""
    return json.loads(file.read_text()) if file.exists() else {}


def keep(file: Path, section: str, figures: Mapping[str, Any]) -> None:
    """Replace the figures of one section in a file."""
    write_atomically(
        file, json.dumps(dict(sorted({**kept(file), section: figures}.items())), indent=1) + "\n"
    )


def size_mb(path: Path) -> float:
    """Return the megabytes of a file or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def machine() -> dict[str, Any]:
    """Return a description of this machine."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "spark": pyspark.__version__,
    }
