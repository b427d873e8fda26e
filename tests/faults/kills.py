"""Kills the job at random moments, while a reader follows its report: `make faults KILLS=50`.

Two inputs take turns, so that the output is replaced each time. The reader knows both, and must find one of
them, whole, at every look: while a job runs, after it was killed, and after it has ended.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from tests.bench.measure import machine
from tests.spark_submit import JOB, SMALL, command, kill, start

ROWS = {1: 20_000, 2: 30_000}
"""Rings of all rows of an input, and how many rows it has."""
LOOK_SECONDS = 0.1
LINE = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,{rings}\n"


class TornError(Exception):
    """A reader has found half of an output, or parts of two."""


def read(target: Path) -> int | None:
    """Return the rings of the input that the output is of, by the report; None before the first run."""
    try:
        text = (target / "report.json").read_text()
    except FileNotFoundError:
        return None
    try:
        report = json.loads(text)
        table = pq.read_table(report["outputs"]["parquet"])
        parts = Path(report["outputs"]["csv"]).glob("part-*")
        lines = [line for part in parts for line in part.read_text().splitlines()[1:]]
    except (OSError, ValueError) as error:
        raise TornError(f"{type(error).__name__}: {error}") from error
    rings = set(table["rings"].to_pylist())
    told = {(ring, ROWS[ring], ROWS[ring], ROWS[ring]) for ring in rings}
    found = {(ring, report["rows_out"], table.num_rows, len(lines)) for ring in rings}
    if len(rings) != 1 or told != found or {int(line.rpartition(",")[2]) for line in lines} != rings:
        raise TornError(f"the report tells {report['rows_out']} rows, found: {found}")
    return int(rings.pop())


class Reader(threading.Thread):
    """Looks at the output again and again until it is told to end."""

    def __init__(self, target: Path):
        super().__init__(daemon=True)
        self._target = target
        self._ended = threading.Event()
        self.looks = 0
        self.torn: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                read(self._target)
            except TornError as error:
                self.torn.append(str(error))
            self.looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


@dataclass
class Outcome:
    """What came of all kills."""

    kills: int = 0
    looks: int = 0
    torn: list[str] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    """How far the job had come when it was killed."""


def run_whole(source: Path, target: Path) -> float:
    """Run the job to its end; return the seconds from where it began to write."""
    process = _start(source, target)
    _await_run(process, target)
    began = time.monotonic()
    if process.wait():
        sys.exit(f"the job failed with exit code {process.returncode} though nobody killed it")
    return time.monotonic() - began


def kill_at_random(folder: Path, kills: int, seed: int) -> Outcome:
    """Run the job whole, kill it that many times, run it whole again.

    Most moments lie between the beginning of its writing and shortly after its end, as the first run had
    them, some before it, and some soon after one of its outputs is whole.
    """
    target = folder / "out"
    sources = {}
    for rings, rows in ROWS.items():
        sources[rings] = folder / f"in-{rings}"
        sources[rings].mkdir()
        for part in range(4):
            (sources[rings] / f"{part}.csv").write_text(LINE.format(rings=rings) * (rows // 4))
    chance = random.Random(seed)
    outcome = Outcome()
    reader = Reader(target)
    reader.start()
    writing = run_whole(sources[1], target)
    while outcome.kills < kills:
        before = read(target)
        rings = 2 if before == 1 else 1
        process = _start(sources[rings], target)
        awaited = chance.choice(("", "", "", "parquet/_SUCCESS", "csv/_SUCCESS"))
        if awaited or chance.random() < 0.9:
            _await_run(process, target, awaited)
        time.sleep(chance.uniform(0, writing * 1.1) / (4 if awaited else 1))
        ran = process.poll() is None
        kill(process)
        outcome.kills += ran
        writing *= 1 if ran else 0.9  # the machine has become quicker
        phase = _phase(target, before) if ran else "ended before"
        outcome.phases[phase] = outcome.phases.get(phase, 0) + 1
        print(f"{outcome.kills}: {outcome.phases}, torn: {reader.torn}", file=sys.stderr, flush=True)
    run_whole(sources[2], target)
    reader.end()
    if read(target) != 2:
        reader.torn.append("the last run is not what a reader finds")
    outcome.looks, outcome.torn = reader.looks, reader.torn
    return outcome


def _await_run(process: subprocess.Popen[str], target: Path, file: str = "") -> None:
    """Wait until a job that has just been started has a folder, or that file in it, or has ended."""
    pattern = f"runs/*/{file}" if file else "runs/*"
    before = set(target.glob(pattern))
    while process.poll() is None and set(target.glob(pattern)) <= before:
        time.sleep(0.01)


def _start(source: Path, target: Path) -> subprocess.Popen[str]:
    # Nobody reads what it says: a pipe would fill up and stop it.
    words = ("--input_table", str(source), "--output_table", str(target))
    return start(command(JOB, *words, conf=SMALL), output=subprocess.DEVNULL)


def _phase(target: Path, before: int | None) -> str:
    """Return how far the newest run has come."""
    if read(target) != before:
        return "published"
    newest = max((target / "runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)
    done = [name for name in ("parquet", "csv") if (newest / name / "_SUCCESS").exists()]
    if len(done) == 2:
        # Either it is whole and not published yet, or it is the run before, and this one has not begun.
        report = json.loads((target / "report.json").read_text())
        return "not begun" if newest.name in report["outputs"]["csv"] else "before the report"
    return "writing CSV" if done else "writing Parquet"


def main() -> None:
    """Run from the command line; the exit code says whether a reader has seen half of an output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--results", type=Path, help="file of figures, of which others stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_at_random(Path(folder), options.kills, options.seed)
    figures = {"machine": machine(), "seed": options.seed, **asdict(outcome)}
    print(json.dumps(figures, indent=1))
    if options.results:
        kept = json.loads(options.results.read_text()) if options.results.exists() else {}
        options.results.write_text(json.dumps({**kept, "faults": figures}, indent=1) + "\n")
    sys.exit(bool(outcome.torn))


if __name__ == "__main__":
    main()
