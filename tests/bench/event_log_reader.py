"""Our event-log reader against Spark's own history server, on the same log of a gigabyte, side by side.

    python tests/bench/event_log_reader.py [--megabytes 1024] [--folder DIR]

A small real job gives the shapes of the events; a seeded generator repeats them with other numbers, in stages
of a thousand tasks. The history server is measured until its REST interface answers for the stages of that
application, with its start and from the moment that it is up.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from helpers.spark import history_server

APPLICATION = "app-20260101000000-0001"
TASKS = 1000
"""Tasks in a stage."""
SLOTS = 32
SEED = 20260101
_POLL_SECONDS = 0.1

OTHERS = {
    "orjson": """
import orjson
def run(path):
    total = 0
    for line in open(path, "rb", buffering=1 << 20):
        if line.startswith(b'{"Event":"SparkListenerTaskEnd"'):
            total += orjson.loads(line)["Task Metrics"]["Executor Run Time"]
    return total / 1000
""",
    "json": """
import json
def run(path):
    total = 0
    for line in open(path, "rb", buffering=1 << 20):
        if line.startswith(b'{"Event":"SparkListenerTaskEnd"'):
            total += json.loads(line)["Task Metrics"]["Executor Run Time"]
    return total / 1000
""",
    "duckdb": """
import duckdb
def run(path):
    query = '''
        select sum("Task Metrics"."Executor Run Time")
        from read_json(?, format='newline_delimited', maximum_object_size=33554432, columns={
            'Event': 'VARCHAR', 'Stage ID': 'INT',
            'Task Info': 'STRUCT("Launch Time" BIGINT, "Finish Time" BIGINT, "Speculative" BOOLEAN)',
            'Task Metrics': 'STRUCT("Executor Run Time" BIGINT, "JVM GC Time" BIGINT,
                "Memory Bytes Spilled" BIGINT, "Disk Bytes Spilled" BIGINT)'})
        where Event = 'SparkListenerTaskEnd' '''
    return duckdb.execute(query, [path]).fetchone()[0] / 1000
""",
    "polars": """
import polars as pl
def run(path):
    numbers = lambda *names: pl.Struct({name: pl.Int64 for name in names})
    schema = {"Event": pl.String, "Stage ID": pl.Int64, "Task Info": numbers("Launch Time", "Finish Time"),
        "Task Metrics": numbers("Executor Run Time", "JVM GC Time", "Memory Bytes Spilled")}
    tasks = pl.scan_ndjson(path, schema=schema).filter(pl.col("Event") == "SparkListenerTaskEnd")
    run_time = pl.col("Task Metrics").struct.field("Executor Run Time").sum()
    return tasks.select(run_time).collect(engine="streaming").item() / 1000
""",
    "summarise": """
from helpers.spark.event_log import summarise
def run(path):
    return summarise(path).task_seconds
""",
    "findings": """
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
def run(path):
    profile = read(path)
    findings(profile)
    return profile.run_ms / 1000
""",
}
"""Programs that sum the run times of all tasks, each as far as its library asks for."""

_MEASURE = """
import resource, sys, time
started = time.perf_counter()
total = run(sys.argv[1])
seconds = time.perf_counter() - started
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, total)
"""


@dataclass(frozen=True)
class Result:
    """Seconds, peak resident memory in MiB, and what came of it."""

    name: str
    seconds: float
    memory: float
    note: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--folder", type=Path, help="keep and reuse the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / APPLICATION
        if not log.exists() or log.stat().st_size < options.megabytes * 1e6:
            write_log(log, real_events(), options.megabytes)
        results = [measure(name, log) for name in OTHERS]
        results += measure_history_server(folder)
        print(table(results, log.stat().st_size / 1e6))


def real_events() -> dict[str, list[dict[str, Any]]]:
    """Return the events of a small real job by name."""
    job = Path(__file__).parents[1] / "helpers" / "spark" / "event_log" / "troubled_job.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, job, folder], check=True, capture_output=True)
        (log,) = (Path(folder) / "logs").iterdir()
        events: dict[str, list[dict[str, Any]]] = {}
        for line in log.read_text().splitlines():
            event = json.loads(line)
            events.setdefault(event["Event"], []).append(event)
    return events


def write_log(path: Path, real: dict[str, list[dict[str, Any]]], megabytes: int) -> None:
    """Write a whole log of at least a size, in events of the shapes of a real one's."""
    written = 0
    with path.open("wb") as file:
        for event in synthetic(real):
            written += file.write(msgspec.json.encode(event) + b"\n")
            if written > megabytes * 1e6 and event["Event"] == "SparkListenerJobEnd":
                break
        end = {"Event": "SparkListenerApplicationEnd", "Timestamp": event["Completion Time"] + 1000}
        file.write(msgspec.json.encode(end) + b"\n")


def synthetic(real: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield the events of an application without end: a job of one stage after another."""
    random_ = random.Random(SEED)
    now = real["SparkListenerApplicationStart"][0]["Timestamp"]
    yield from real["SparkListenerLogStart"]
    yield from real["SparkListenerResourceProfileAdded"]
    yield {**real["SparkListenerApplicationStart"][0], "App ID": APPLICATION}
    yield from real["SparkListenerEnvironmentUpdate"]
    executor = real["SparkListenerExecutorAdded"][0]
    executor["Executor Info"]["Total Cores"] = SLOTS
    yield executor
    yield from real["SparkListenerBlockManagerAdded"]
    job, submitted = real["SparkListenerJobStart"][-1], real["SparkListenerStageSubmitted"]
    starts = real["SparkListenerTaskStart"]
    ends = [end for end in real["SparkListenerTaskEnd"] if end["Task End Reason"]["Reason"] == "Success"]
    completed = {entry["Stage Info"]["Stage ID"]: entry for entry in real["SparkListenerStageCompleted"]}
    task_id = 0
    for number in range(10**9):
        shape = submitted[number % len(submitted)]["Stage Info"]
        done = completed[shape["Stage ID"]]["Stage Info"]
        info = {
            **shape,
            "Stage ID": number,
            "Number of Tasks": TASKS,
            "Submission Time": now,
            "Parent IDs": [],
        }
        properties = {key: value for key, value in job["Properties"].items() if "execution" not in key}
        yield {
            **job,
            "Job ID": number,
            "Submission Time": now,
            "Stage Infos": [info],
            "Stage IDs": [number],
            "Properties": properties,
        }
        yield {"Event": "SparkListenerStageSubmitted", "Stage Info": info, "Properties": properties}
        of_stage = [end for end in ends if end["Stage ID"] == shape["Stage ID"]] or ends
        latest = now
        for index in range(TASKS):
            start = now + index // SLOTS * 200
            took = int(random_.lognormvariate(5, 0.5))
            latest = max(latest, start + took)
            task = {"Task ID": task_id, "Index": index, "Partition ID": index, "Launch Time": start}
            begun = starts[index % len(starts)]
            yield {**begun, "Stage ID": number, "Task Info": {**begun["Task Info"], **task}}
            end = of_stage[index % len(of_stage)]
            yield {
                **end,
                "Stage ID": number,
                "Task Info": {**end["Task Info"], **task, "Attempt": 0, "Finish Time": start + took},
                "Task Metrics": {**end["Task Metrics"], "Executor Run Time": took},
            }
            task_id += 1
        now = latest
        yield {
            "Event": "SparkListenerStageCompleted",
            "Stage Info": {**done, **info, "Accumulables": done["Accumulables"], "Completion Time": now},
        }
        yield {**real["SparkListenerJobEnd"][0], "Job ID": number, "Completion Time": now}


def measure(name: str, log: Path) -> Result:
    """Run one of the programs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", OTHERS[name] + _MEASURE, log],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    if done.returncode:
        return Result(name, float("nan"), float("nan"), done.stderr.strip().splitlines()[-1])
    seconds, memory, total = map(
        float, done.stdout.splitlines()[-1].split()
    )  # DuckDB shows its progress above
    return Result(name, seconds, memory, f"{total:,.0f} core-seconds")


def measure_history_server(folder: Path) -> list[Result]:
    """Start the history server on a folder of one log, and stop it when it answers for the log's stages."""
    server = history_server.on_disk(folder, 0)
    stop = threading.Event()
    times = {"begun": time.perf_counter()}
    peak = 0.0
    outcome: list[str] = []

    def watch() -> None:
        nonlocal peak
        while not stop.wait(_POLL_SECONDS):
            for process in psutil.Process().children(recursive=True):
                try:
                    if "HistoryServer" in " ".join(process.cmdline()):
                        peak = max(peak, process.memory_info().rss / 2**20)
                except psutil.Error:
                    continue
            if "up" not in times and history_server.ask(f"{server.address}/api/v1/version"):
                times["up"] = time.perf_counter()

    def ready(_: str) -> None:
        times["listed"] = time.perf_counter()
        url = f"{server.address}/api/v1/applications/{APPLICATION}/stages?details=false"
        stages = history_server.ask(url, timeout=1800)
        times["loaded"] = time.perf_counter()
        outcome.append(f"{len(stages)} stages" if stages else "no stages")
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    history_server.serve(server, ready, stop, APPLICATION, patience=1800)
    watcher.join()
    whole, loading = times["loaded"] - times["begun"], times["loaded"] - times["up"]
    return [
        Result("history server, with its start", whole, peak, outcome[0]),
        Result("history server, once it is up", loading, peak, outcome[0]),
    ]


def table(results: list[Result], megabytes: float) -> str:
    """Return the results as a table, with ratios to ours."""
    ours = next(result.seconds for result in results if result.name == "findings")
    rows = [
        f"| {r.name} | {r.seconds:.1f} | {megabytes / r.seconds:,.0f} | {r.memory:,.0f} "
        f"| {r.seconds / ours:.1f} | {r.note} |"
        for r in results
    ]
    return "\n".join(
        [
            f"A log of {megabytes:,.0f} MB, {os.cpu_count()} cores",
            "",
            "| reader | s | MB/s | peak MiB | times ours | result |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


if __name__ == "__main__":
    main()
