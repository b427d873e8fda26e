"""Sums the run time of all tasks in a Spark event log, with different readers.

    python -m tests.log_readers NAME LOG

DuckDB, Polars and the json module read only what the sum needs. Our reader and Spark's history server process
everything that they can show.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE = 1800
"""Maximum seconds for the history server."""


def with_our_reader(log: Path) -> float:
    """Read the profile and compute the findings."""
    from helpers.spark.event_log.findings import findings  # noqa: PLC0415 - load only the reader that is used
    from helpers.spark.event_log.profile import read  # noqa: PLC0415

    profile = read(log)
    findings(profile)
    return profile.run_ms / 1000


def with_json(log: Path) -> float:
    """Python's own module, on the relevant lines."""
    total = 0
    with log.open("rb", buffering=1 << 20) as lines:
        for line in lines:
            if line.startswith(b'{"Event":"SparkListenerTaskEnd"'):
                total += json.loads(line)["Task Metrics"]["Executor Run Time"]
    return total / 1000


def with_duckdb(log: Path) -> float:
    """DuckDB's JSON reader with the required fields."""
    import duckdb  # noqa: PLC0415

    query = """
        SELECT sum("Task Metrics"."Executor Run Time")
        FROM read_json(?, format = 'newline_delimited', maximum_object_size = 33554432, columns = {
            'Event': 'VARCHAR', 'Task Metrics': 'STRUCT("Executor Run Time" BIGINT)'})
        WHERE Event = 'SparkListenerTaskEnd'"""
    (total,) = duckdb.execute(query, [str(log)]).fetchall()[0]
    return float(total) / 1000


def with_polars(log: Path) -> float:
    """Polars' streaming engine with the required fields."""
    import polars as pl  # noqa: PLC0415

    metrics = pl.Struct({"Executor Run Time": pl.Int64})
    events = pl.scan_ndjson(log, schema={"Event": pl.String, "Task Metrics": metrics})
    ends = events.filter(pl.col("Event") == "SparkListenerTaskEnd")
    run_time = pl.col("Task Metrics").struct.field("Executor Run Time").sum()
    return float(ends.select(run_time).collect(engine="streaming").item()) / 1000


def with_history_server(log: Path) -> float:
    """Spark's history server on the log's folder, until it has loaded the stages of the application."""
    from helpers.spark import history_server  # noqa: PLC0415

    server, stop, seconds = history_server.on_disk(log.parent, 0), threading.Event(), []

    def ready(_: str) -> None:
        url = f"{server.address}/api/v1/applications/{log.name}/stages?details=false"
        stages = history_server.ask(url, timeout=PATIENCE) or []
        seconds.append(sum(stage["executorRunTime"] for stage in stages) / 1000)
        stop.set()

    history_server.serve(server, ready, stop, log.name, timeout=PATIENCE)
    return float(seconds[0])


READERS: Mapping[str, Callable[[Path], float]] = {
    "our reader": with_our_reader,
    "history server": with_history_server,
    "DuckDB": with_duckdb,
    "Polars": with_polars,
    "json": with_json,
}


if __name__ == "__main__":
    name, path = sys.argv[1:]
    print(READERS[name](Path(path)))
