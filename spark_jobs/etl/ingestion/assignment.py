"""What the driver sends to a task and receives, without the imports of tasks.

The driver imports this module and not Polars, which takes it half a second before Spark starts.
"""

from __future__ import annotations

import os
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple

if TYPE_CHECKING:
    from etl.ingestion.inputs import Part
    from etl.ingestion.sink import Sink
    from etl.ingestion.table import Table
    from etl.storage import S3Settings

# A task has one core. Polars reads this when it is imported, which the rules of a table do as they arrive.
os.environ.setdefault("POLARS_MAX_THREADS", "1")


class Assignment(NamedTuple):
    """What all tasks of a run have in common."""

    table: Table
    sink: Sink
    folder: str
    """The folder of the run."""
    run_id: str
    """Part of the names of its files."""
    source: S3Settings


class Written(NamedTuple):
    """A file that was written."""

    name: str
    size: int
    """In bytes."""
    rows: int


class Rejected(NamedTuple):
    """A record that is not valid, as it is quarantined."""

    file: str
    line: str
    reason: str


class Result(NamedTuple):
    """What a task has done; a problem ends the job."""

    rows: int
    """Records that it read, rejected ones included."""
    outputs: dict[str, list[Written]]
    rejected: list[Written]
    examples: list[Rejected]
    seconds: float
    problem: str | None = None
    summary: Any = None
    """The summary of the rows that the sink made."""


def run_task(assignment: Assignment, part: Part) -> Result:
    """Do a part of the work, in a Python worker."""
    from etl.ingestion.task import ingest_part  # noqa: PLC0415 - Polars, which the driver needs not

    return ingest_part(assignment, part)


def sum_of(summaries: Iterable[Any]) -> Any:
    """Return the sum of summaries; None if there are none."""
    found = [each for each in summaries if each is not None]
    return reduce(add, found) if found else None
