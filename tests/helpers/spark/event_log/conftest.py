"""Event logs: one of a real run with all problems, and synthetic ones."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.spark.event_log.events import parse
from helpers.spark.event_log.profile import Profile, profile
from tests.spark_submit import SMALL

MIB = 1 << 20
START = 1_700_000_000_000


@pytest.fixture(scope="session")
def failing_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run: its log in `logs`, and its beginning in every codec as `plain.*`."""
    folder = tmp_path_factory.mktemp("troubled")
    script = Path(__file__).with_name("troubled_job.py")
    quick = [f"--conf={name}={value}" for name, value in SMALL.items() if name != "spark.driver.memory"]
    environment = os.environ | {"PYSPARK_SUBMIT_ARGS": shlex.join([*quick, "pyspark-shell"])}
    done = subprocess.run(
        [sys.executable, script, folder], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return folder


def event(name: str, **members: Any) -> bytes:
    return json.dumps({"Event": name, **members}, separators=(",", ":")).encode() + b"\n"


def task(
    stage: int = 0, start: float = 0.0, seconds: float = 1.0, reason: str = "Success", **more: Any
) -> bytes:
    """A task that starts `start` seconds after the application; `more` are sizes in MiB and others."""
    metrics = {
        "Executor Run Time": int(more.get("running", seconds) * 1000),
        "JVM GC Time": int(more.get("gc", 0) * 1000),
        "Memory Bytes Spilled": int(more.get("spilled", 0) * MIB * 3),
        "Disk Bytes Spilled": int(more.get("spilled", 0) * MIB),
        "Peak Execution Memory": int(more.get("peak", 0) * MIB),
        "Input Metrics": {"Bytes Read": int(more.get("input", 0) * MIB)},
        "Output Metrics": {"Bytes Written": int(more.get("output", 0) * MIB)},
        "Shuffle Read Metrics": {
            "Remote Bytes Read": int(more.get("shuffled", 0) * MIB),
            "Local Bytes Read": 0,
        },
        "Shuffle Write Metrics": {"Shuffle Bytes Written": int(more.get("written", 0) * MIB)},
    }
    return event(
        "SparkListenerTaskEnd",
        **{
            "Stage ID": stage,
            "Task End Reason": {"Reason": reason, **more.get("error", {})},
            "Task Info": {
                "Launch Time": START + int(start * 1000),
                "Finish Time": START + int((start + seconds) * 1000),
                "Speculative": more.get("speculative", False),
                "Index": more.get("index", 0),
            },
            "Task Metrics": metrics,
            "Task Executor Metrics": {"JVMHeapMemory": int(more.get("heap", 700) * MIB)},
        },
    )


def stage(
    number: int,
    start: float = 0.0,
    seconds: float = 1.0,
    rows_of: tuple[int, ...] = (),
    failure: str | None = None,
    **metrics: int,
) -> bytes:
    """A completed stage, with the scans of these accumulators; see `plan`."""
    accumulables = [
        {"ID": 10_000 * (number + 1) + index, "Name": name.replace("_", " "), "Value": str(value)}
        for index, (name, value) in enumerate(metrics.items())
    ]
    accumulables += [
        {"ID": 1000 + scan, "Name": "number of output rows", "Value": "1", "Metadata": "sql"}
        for scan in rows_of
    ]
    return event(
        "SparkListenerStageCompleted",
        **{
            "Stage Info": {
                "Stage ID": number,
                "Stage Name": f"stage {number}",
                "Submission Time": START + int(start * 1000),
                "Completion Time": START + int((start + seconds) * 1000),
                "Accumulables": accumulables,
                **({"Failure Reason": failure} if failure else {}),
            }
        },
    )


def executor(name: str = "1", cores: int = 4, start: float = 0.0, host: str = "host") -> bytes:
    info = {"Host": host, "Total Cores": cores}
    moment = START + int(start * 1000)
    return event(
        "SparkListenerExecutorAdded", **{"Timestamp": moment, "Executor ID": name, "Executor Info": info}
    )


def removal(name: str, start: float, reason: str) -> bytes:
    moment = START + int(start * 1000)
    return event(
        "SparkListenerExecutorRemoved",
        **{"Timestamp": moment, "Executor ID": name, "Removed Reason": reason},
    )


SQL = "org.apache.spark.sql.execution.ui.SparkListener"


def plan(commit: int, *scans: tuple[int, str], output: str = "Parquet") -> bytes:
    """A query that writes what it scans; the rows of a scan have its accumulator plus 1000."""
    nodes = [
        {
            "nodeName": "Scan csv",
            "metadata": {"Location": location, "Format": "CSV"},
            "metrics": [
                {"name": "size of files read", "accumulatorId": number, "metricType": "size"},
                {"name": "number of output rows", "accumulatorId": 1000 + number, "metricType": "sum"},
            ],
        }
        for number, location in scans
    ]
    metrics = [{"name": "job commit time", "accumulatorId": commit, "metricType": "timing"}]
    name = "Execute InsertIntoHadoopFsRelationCommand"
    write = {"nodeName": name, "simpleString": f"{name} file:/out, false, {output}, [path=file:/out]"}
    root = {**write, "children": nodes, "metrics": metrics, "metadata": {}}
    return event(f"{SQL}SQLExecutionStart", sparkPlanInfo=root)


def counted(*updates: tuple[int, int]) -> bytes:
    return event(f"{SQL}DriverAccumUpdates", executionId=0, accumUpdates=[list(pair) for pair in updates])


def beginning(version: str = "3.5.9", **properties: str) -> list[bytes]:
    named = {"spark." + name.replace("_", "."): value for name, value in properties.items()}
    return [
        event("SparkListenerLogStart", **{"Spark Version": version}),
        event("SparkListenerEnvironmentUpdate", **{"Spark Properties": named}),
        event("SparkListenerApplicationStart", **{"App Name": "job", "App ID": "app-1", "Timestamp": START}),
    ]


def ending(seconds: float) -> bytes:
    return event("SparkListenerApplicationEnd", Timestamp=START + int(seconds * 1000))


def log(*events: bytes, seconds: float = 10.0, **properties: str) -> list[bytes]:
    """The lines of a complete log."""
    return [*beginning(**properties), *events, ending(seconds)]


@pytest.fixture(scope="session")
def run_of() -> Callable[..., Profile]:
    """Returns the profile of synthetic events."""
    return lambda *events, **more: profile(parse(log(*events, **more)))
