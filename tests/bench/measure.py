"""What a command costs: seconds, CPU seconds and memory of all its processes; several in turn."""

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import pyspark

from helpers.files import write_atomically

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """What one run has cost."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, may_fail: bool = False
) -> Cost:
    """Run a command to its end; memory is the sum over its processes, so pages that they share count twice.

    Raises:
        SystemExit: it failed, and may not; its output is shown.
    """
    began = time.monotonic()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watch = _Watch(process.pid)
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
    """Looks at a process and its descendants; of each the last look counts."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
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
            for process in processes:
                try:
                    times, memory = process.cpu_times(), process.memory_info().rss
                except psutil.Error:
                    continue
                self._used[process.pid, process.create_time()] = times.user + times.system
                total += memory
            self.peak = max(self.peak, total)

    def end(self) -> None:
        self._ended.set()
        self.join()


def in_turn(candidates: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, dict[str, Any]]:
    """Run each candidate once per round, so that whatever else the machine does meets all; return medians."""
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
        # Not the highest: for a moment a process that forks counts twice.
        "peak_mib": statistics.median(cost["peak_mib"] for cost in each),
        "rounds": [cost["seconds"] for cost in each],
    }


def kept(file: Path) -> dict[str, Any]:
    """Return the figures that a file keeps, by section; none where there is no file."""
    return json.loads(file.read_text()) if file.exists() else {}


def keep(file: Path, section: str, figures: Mapping[str, Any]) -> None:
    """Put one section's figures into a file, of which the others stay."""
    write_atomically(
        file, json.dumps(dict(sorted({**kept(file), section: figures}.items())), indent=1) + "\n"
    )


def size_mb(path: Path) -> float:
    """Return the megabytes of a file or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "spark": pyspark.__version__,
    }
