"""Measures our event-log reader against others, including Spark's history server, on the same log.

A small real job provides the shapes of the events. A seeded generator repeats them with other numbers, in
stages of a thousand tasks.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.measure import Cost, in_turn, run, size_mb
from tests.log_readers import READERS

APPLICATION = "app-20260101000000-0001"
TASKS = 1000
"""Tasks per stage."""
SLOTS = 32
SEED = 20260101

Events = dict[str, list[dict[str, Any]]]


def measure(megabytes: int, rounds: int, folder: Path, engines_python: str) -> dict[str, Any]:
    """Measure each reader on a log of a given size, and its memory and startup on a small one."""
    real, logs = real_events(), {}
    for part in (1, 10, 1000):
        logs[part] = folder / f"log-{part}" / APPLICATION
        logs[part].parent.mkdir()
        write_log(logs[part], real, megabytes / part)
    runs = {name: (name, logs[1]) for name in READERS}
    runs["our reader on a tenth"] = ("our reader", logs[10])
    runs["history server on a thousandth"] = ("history server", logs[1000])
    candidates = {title: partial(read, reader, log, engines_python) for title, (reader, log) in runs.items()}
    results = in_turn(candidates, rounds)
    for title, (_, log) in runs.items():
        results[title]["log_mb"] = size_mb(log)
    return {"results": results}


def read(name: str, log: Path, engines_python: str) -> Cost:
    """Run a reader in a separate process."""
    python = engines_python if name in {"DuckDB", "Polars"} else sys.executable
    return run([python, "-m", "tests.log_readers", name, str(log)])


def real_events() -> Events:
    """Return the events of a small real job by name."""
    job = Path(__file__).parents[1] / "helpers" / "spark" / "event_log" / "troubled_job.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, job, folder], check=True, capture_output=True)
        (log,) = (Path(folder) / "logs").iterdir()
        events: Events = {}
        for line in log.read_text().splitlines():
            event = json.loads(line)
            events.setdefault(event["Event"], []).append(event)
    return events


def write_log(path: Path, real: Events, megabytes: float) -> None:
    """Write a complete log of at least a given size with the event shapes of a real one."""
    written = 0
    with path.open("wb") as file:
        for event in synthetic(real):
            written += file.write(msgspec.json.encode(event) + b"\n")
            if written > megabytes * 1e6 and event["Event"] == "SparkListenerJobEnd":
                break
        end = {"Event": "SparkListenerApplicationEnd", "Timestamp": event["Completion Time"] + 1000}
        file.write(msgspec.json.encode(end) + b"\n")


def synthetic(real: Events) -> Iterator[dict[str, Any]]:
    """Yield the events of an endless application: a job with one stage after another."""
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
