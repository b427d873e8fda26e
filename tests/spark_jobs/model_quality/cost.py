"""Measures the cost of statistics: `python -m tests.spark_jobs.model_quality.cost [ROWS]`.

CPU seconds of one task, as on one core of an executor; the minimum of three rounds.
"""

import sys
import tempfile
import time
from pathlib import Path
from types import MappingProxyType

from tests.bench import abalone
from tests.spark_submit import JOBS, packages

sys.path.extend([str(JOBS), str(packages())])

import etl.ingestion.task  # noqa: F401 - before the import of Polars: it sets its number of threads
from abalone_model import DATA
from etl.ingestion.assignment import Assignment, run_task
from etl.ingestion.inputs import divide, find_input
from etl.ingestion.sink import Sink, SinkResult
from etl.storage import LocalDisk, S3Settings
from model_quality.statistics import statistics_of

ROUNDS = 3


class Nothing(Sink):
    """Reads and validates."""

    data_sets = MappingProxyType({})

    def process(self, rows):
        return SinkResult([])


class Described(Nothing):
    """Reads, validates and computes statistics."""

    def process(self, rows):
        return SinkResult([], statistics_of(rows, [DATA.columns.label, *DATA.columns.features]))


def seconds(source: Path, sink: Sink, folder: Path) -> float:
    """Return the CPU seconds of the tasks."""
    began = time.process_time()
    for part in divide(find_input(LocalDisk(), str(source)), 2, splittable=True):
        result = run_task(Assignment(DATA.training_table, sink, str(folder), "cost", S3Settings()), part)
        assert not result.problem
    return time.process_time() - began


def measure(rows: int) -> dict[str, float]:
    """Return the CPU seconds of a scan without and with statistics, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "abalone.csv"
        abalone.write(rows, source)
        target = Path(folder) / "out"
        scan, described = (
            min(seconds(source, sink, target) for _ in range(ROUNDS)) for sink in (Nothing(), Described())
        )
    return {
        "rows": rows,
        "scan": round(scan, 2),
        "statistics": round(described, 2),
        "ratio": round(described / scan, 2),
    }


def main(rows: int) -> None:
    """Measure and print."""
    found = measure(rows)
    line = f"{rows:,} rows: read and check {found['scan']} s, with statistics {found['statistics']} s"
    print(f"{line}, {found['ratio']} times as much")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
