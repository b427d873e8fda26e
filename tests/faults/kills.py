"""Kills the job at random times while a reader follows its report: `make faults KILLS=50`.

Runs on a local disk, on S3, and on S3 with YARN, whose executors survive a killed driver for a moment. The
job alternates between two inputs, so that each run replaces the output. The reader knows both, and must
always find one of them complete: while a job runs, after it was killed, and after it has ended.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import fs

from tests import yarn
from tests.bench.measure import keep, machine
from tests.faults.faulty_s3 import serving
from tests.spark_submit import JOB, SMALL, command, kill, start
from tests.yarn import Yarn

ROWS = {1: 20_000, 2: 30_000}
"""Number of rows by input; all rows of an input have this many rings."""
EXECUTORS = {
    "spark.executor.instances": "2",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
    "spark.yarn.maxAppAttempts": "1",
}
"""Settings of the executors on YARN."""
LOOK_SECONDS = 0.1
LINE = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,{rings}\n"
BUCKET = "kills"


@dataclass(frozen=True)
class Store:
    """Storage that the job reads and writes."""

    files: fs.FileSystem
    root: str
    """The root as `files` uses it."""
    uri: str
    """The root as the job uses it."""
    endpoint: str | None = None
    """Endpoint of S3."""
    yarn: Yarn | None = None
    """The cluster of the executors; without it, tasks run in the driver."""

    def text(self, path: str) -> str:
        """Return the content of a file.

        Arrow first requests the size from S3. If the file is replaced before it is read, the content is
        truncated or has trailing garbage, and is read again.

        Raises:
            FileNotFoundError: the file does not exist.
        """
        while True:
            with self.files.open_input_file(f"{self.root}/{path}") as file:
                size, content = file.size(), bytes(file.readall())
            if self.files.get_file_info(f"{self.root}/{path}").size == size:
                return content.decode()

    def names(self, folder: str) -> set[str]:
        """Return the names in a folder; empty if the folder does not exist."""
        try:
            found = self.files.get_file_info(fs.FileSelector(f"{self.root}/{folder}", allow_not_found=True))
        except FileNotFoundError:  # it existed a moment ago
            return set()
        return {entry.base_name for entry in found}

    def listing(self, folder: str) -> set[tuple[str, int | None, int | None]]:
        """Return path, size and time of all files below a folder; empty if the folder does not exist."""
        selector = fs.FileSelector(f"{self.root}/{folder}", allow_not_found=True, recursive=True)
        return {(entry.path, entry.size, entry.mtime_ns) for entry in self.files.get_file_info(selector)}

    def here(self, uri: str) -> str:
        """Return the path below `root` of a URI in a report."""
        return uri.removeprefix(f"{self.uri}/")


@contextmanager
def disk() -> Iterator[Store]:
    """Provide an empty local folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield Store(fs.LocalFileSystem(), folder, folder)


@contextmanager
def s3() -> Iterator[Store]:
    """Provide an empty bucket of an S3 on this machine."""
    with serving() as (_, endpoint):
        files = fs.S3FileSystem(
            access_key="test",
            secret_key="test",
            region="us-east-1",
            endpoint_override=endpoint,
            allow_bucket_creation=True,
        )
        files.create_dir(BUCKET)
        yield Store(files, BUCKET, f"s3a://{BUCKET}", endpoint)


@contextmanager
def s3_on_yarn() -> Iterator[Store]:
    """Provide an empty bucket and a YARN cluster."""
    with s3() as store, yarn.running() as cluster:
        yield replace(store, yarn=cluster)


STORES = {"local disk": disk, "S3": s3, "S3, on YARN": s3_on_yarn}


class TornError(Exception):
    """A reader found a partial output, or parts of two outputs."""


def read(store: Store) -> int | None:
    """Return the rings of the input of the current output, from the report; None before the first run."""
    try:
        text = store.text("out/report.json")
    except FileNotFoundError:
        return None
    try:
        report = json.loads(text)
        outputs = report["outputs"]
        parquet, csv = (store.here(outputs[name]["folder"]) for name in ("parquet", "csv"))
        table = pq.read_table(f"{store.root}/{parquet}", filesystem=store.files)
        parts = [store.text(f"{csv}/{name}") for name in store.names(csv) if name.startswith("part-")]
        lines = [line for part in parts for line in part.splitlines()[1:]]
    except (OSError, ValueError) as error:
        raise TornError(f"{type(error).__name__}: {error}") from error
    rings = set(table["rings"].to_pylist())
    reported = {(ring, ROWS[ring], ROWS[ring], ROWS[ring]) for ring in rings}
    found = {(ring, outputs["parquet"]["rows"], table.num_rows, len(lines)) for ring in rings}
    if len(rings) != 1 or reported != found or {int(line.rpartition(",")[2]) for line in lines} != rings:
        raise TornError(f"the report counts {outputs['parquet']['rows']} rows, found: {found}")
    if text != store.text(f"{parquet.rpartition('/')[0]}/report.json"):
        raise TornError("the run has another report in its folder")
    return int(rings.pop())


class Reader(threading.Thread):
    """Reads the output repeatedly until it is stopped; skips unchanged outputs."""

    def __init__(self, store: Store):
        super().__init__(daemon=True)
        self._store = store
        self._ended = threading.Event()
        self.looks = 0
        self.torn: list[str] = []

    def run(self) -> None:
        seen: set[tuple[str, int | None, int | None]] | None = None
        while not self._ended.wait(LOOK_SECONDS):
            found = self._store.listing("out")
            try:
                if found != seen:
                    read(self._store)
            except TornError as error:
                self.torn.append(str(error))
            seen = found
            self.looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


@dataclass
class Outcome:
    """The result of all kills."""

    kills: int = 0
    looks: int = 0
    torn: list[str] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    """Number of kills by phase of the job."""


def run_whole(store: Store, source: str) -> float:
    """Run the job to its end; return the seconds since it started to write."""
    before = store.names("out/runs")
    process = _start(store, source)
    _await_run(process, store, before)
    began = time.monotonic()
    if process.wait():
        sys.exit(f"the job failed with exit code {process.returncode} though nobody killed it")
    return time.monotonic() - began


def kill_at_random(store: Store, kills: int, seed: int) -> Outcome:
    """Run the job completely, kill it a number of times, and run it completely again.

    Most kills are between the start of writing and shortly after its end, based on the first run. Some are
    before, and some soon after an output is complete.
    """
    for rings, rows in ROWS.items():
        store.files.create_dir(f"{store.root}/in-{rings}")
        for part in range(4):
            with store.files.open_output_stream(f"{store.root}/in-{rings}/{part}.csv") as stream:
                stream.write(LINE.format(rings=rings).encode() * (rows // 4))
    chance = random.Random(seed)
    outcome = Outcome()
    reader = Reader(store)
    reader.start()
    writing = run_whole(store, "in-1")
    while outcome.kills < kills:
        before, runs = read(store), store.names("out/runs")
        process = _start(store, "in-2" if before == 1 else "in-1")
        awaited = chance.choice(("", "", "", "parquet", "csv"))
        if awaited or chance.random() < 0.9:
            _await_run(process, store, runs, awaited)
        time.sleep(chance.uniform(0, writing * 1.1) / (4 if awaited else 1))
        ran = process.poll() is None
        kill(process)
        outcome.kills += ran
        writing *= 1 if ran else 0.9  # the machine has become faster
        phase = _phase(store, before, runs) if ran else "ended before"
        outcome.phases[phase] = outcome.phases.get(phase, 0) + 1
        print(f"{outcome.kills}: {outcome.phases}, torn: {reader.torn}", file=sys.stderr, flush=True)
    run_whole(store, "in-2")
    reader.end()
    if read(store) != 2:
        reader.torn.append("the last run is not what a reader finds")
    outcome.looks, outcome.torn = reader.looks, reader.torn
    return outcome


def _await_run(process: subprocess.Popen[str], store: Store, before: set[str], output: str = "") -> None:
    """Wait until a started job has a run folder or a given output, or has ended."""
    while process.poll() is None:
        runs = store.names("out/runs") - before
        if runs and (not output or any(_is_written(store, run, output) for run in runs)):
            return
        time.sleep(0.05)  # each poll is a request to S3


def _is_written(store: Store, run: str, output: str) -> bool:
    return "_SUCCESS" in store.names(f"out/runs/{run}/{output}")


def _start(store: Store, source: str) -> subprocess.Popen[str]:
    # The output is not read: a pipe would fill up and block the job.
    words = ("--input_table", f"{store.uri}/{source}", "--output_table", f"{store.uri}/out")
    master, conf, more = "local[2]", SMALL, {}
    if store.yarn:
        master, conf, more = "yarn", {**SMALL, **EXECUTORS, **store.yarn.settings}, store.yarn.environment
    submit = command(JOB, *words, master=master, conf=conf, endpoint=store.endpoint)
    return start(submit, output=subprocess.DEVNULL, more=more)


def _phase(store: Store, before: int | None, runs: set[str]) -> str:
    """Return the phase of the newest run."""
    if read(store) != before:
        return "published"
    new = store.names("out/runs") - runs
    if not new:
        return "not begun"
    (run,) = new
    done = [output for output in ("parquet", "csv") if _is_written(store, run, output)]
    return ("writing", "between the outputs", "before the report")[len(done)]


def main() -> None:
    """Run from the command line; exit with 1 if a reader saw a partial output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="on each store")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--results", type=Path, help="file of figures, of which others stay")
    options = parser.parse_args()
    outcomes: dict[str, Outcome] = {}
    for name, provided in STORES.items():
        print(f"-- {name}", file=sys.stderr, flush=True)
        with provided() as store:
            outcomes[name] = kill_at_random(store, options.kills, options.seed)
    stores = {name: asdict(outcome) for name, outcome in outcomes.items()}
    figures = {"machine": machine(), "seed": options.seed, "stores": stores}
    print(json.dumps(figures, indent=1))
    if options.results:
        keep(options.results, "faults", figures)
    sys.exit(any(outcome.torn for outcome in outcomes.values()))


if __name__ == "__main__":
    main()
