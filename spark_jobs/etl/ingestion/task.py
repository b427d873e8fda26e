"""Runs a task: reads its part of the input, validates it, and writes output files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import polars as pl

from etl.errors import JobError, shown
from etl.ingestion.assignment import Result, Written, sum_of
from etl.ingestion.checking import check
from etl.ingestion.text import blocks
from etl.ingestion.writing import Quarantine
from etl.storage import storage

if TYPE_CHECKING:
    from etl.ingestion.assignment import Assignment, Rejected
    from etl.ingestion.checking import Problem
    from etl.ingestion.inputs import Part
    from etl.ingestion.table import Table

OUTPUT_BYTES = 512 * 1024**2
"""Maximum size of rows in memory before a task writes files. Ranges of split files are smaller."""
EXAMPLES = 3
"""Maximum number of rejected records in the result of a task."""


def ingest_part(assignment: Assignment, part: Part) -> Result:
    """Run a task, and return its result.

    Problems of the input are part of the result. Only errors of the storage raise an exception.
    """
    began = time.monotonic()
    table, sink = assignment.table, assignment.sink
    target = storage(assignment.folder, assignment.source)
    name = f"part-{part.number:05}-{assignment.run_id}"
    quarantine = Quarantine(target, assignment.folder, name)
    outputs: dict[str, list[Written]] = {data_set: [] for data_set in sink.data_sets}
    summaries: list[Any] = []
    held: list[pl.DataFrame] = []
    examples: list[Rejected] = []
    rows = held_bytes = 0

    def flush() -> None:
        result = sink.process(pl.concat(held))
        for file in result.files:
            written = outputs[file.data_set]
            file_name = f"{name}-c{len(written):03}{file.suffix}"
            target.write(f"{assignment.folder}/{file.data_set}/{file_name}", file.content)
            written.append(Written(file_name, len(file.content), file.rows))
        summaries.append(result.summary)

    try:
        for block in blocks(
            storage(part.pieces[0].file.uri, assignment.source), part, multiline=table.multiline
        ):
            checked = check(table, block)
            if checked.problem:
                return Result(rows, outputs, [], [], 0, _described(table, checked.problem))
            rows += sum(map(len, checked.valid)) + len(checked.rejected)
            quarantine.add(checked.rejected)
            examples += checked.rejected[: EXAMPLES - len(examples)]
            for frame in checked.valid:
                held.append(output_columns(table, frame))
                held_bytes += held[-1].estimated_size()
            if held_bytes > OUTPUT_BYTES:
                flush()
                held, held_bytes = [], 0
        if held:
            flush()
        quarantine.flush()
    except JobError as error:
        return Result(rows, outputs, [], [], 0, str(error))
    seconds = time.monotonic() - began
    return Result(rows, outputs, quarantine.written, examples, seconds, summary=sum_of(summaries))


def output_columns(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns to write.

    Raises:
        JobError: the transformation of the job adds or drops rows, or makes values of a required column null.
    """
    written = table.transform(frame) if table.transform else frame
    if table.transform and len(written) != len(frame):
        raise JobError(f"transform made {len(written):,} rows of {len(frame):,}: it must keep the rows")
    written = written.select(table.columns) if table.columns else written
    required = {field.name for field in table.fields if field.required}
    for column in written.iter_columns():
        if column.null_count() and column.name in required:
            raise JobError(
                f"required column {column.name} holds NULL ({column.null_count():,} rows): "
                "transform dropped values on the way"
            )
    return written


def _described(table: Table, problem: Problem) -> str:
    if "header" not in problem.reason:
        return f"{problem.file} {problem.reason}"
    return (
        f"{problem.file} has the header {shown(problem.line)}, but the columns must be "
        f"{','.join(table.names)}, in this order (with or without a header line)"
    )
