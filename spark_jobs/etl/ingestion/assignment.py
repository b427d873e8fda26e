"""Defines the input and result of tasks.

The driver imports this module. It must not import Polars, which would take half a second before Spark starts.
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

# A task has one core. Polars reads this variable when it is imported, which unpickling a table can do.
os.environ.setdefault("POLARS_MAX_THREADS", "1")


class Assignment(NamedTuple):
    """The common input of all tasks of a run."""

    table: Table
    sink: Sink
    folder: str
    """The folder of the run."""
    run_id: str
    """A unique part of file names."""
    source: S3Settings


class Written(NamedTuple):
    """A file that a task wrote."""

    name: str
    size: int
    """In bytes."""
    rows: int


class Rejected(NamedTuple):
    """A quarantined record: the input file, the text, and why it is not valid."""

    file: str
    line: str
    reason: str


class Result(NamedTuple):
    """The result of a task. If it has a problem, the job fails."""

    rows: int
    """Number of records that were read, including rejected ones."""
    outputs: dict[str, list[Written]]
    rejected: list[Written]
    examples: list[Rejected]
    seconds: float
    problem: str | None = None
    summary: Any = None
    """The summary of the rows by the sink."""


def run_task(assignment: Assignment, part: Part) -> Result:
    """Run a task in a Python worker, and return its result."""
    from etl.ingestion.task import ingest_part  # noqa: PLC0415 - imports Polars

    return ingest_part(assignment, part)


def sum_of(summaries: Iterable[Any]) -> Any:
    """Return the sum of summaries, or None if there are no summaries."""
    found = [each for each in summaries if each is not None]
    return reduce(add, found) if found else None
