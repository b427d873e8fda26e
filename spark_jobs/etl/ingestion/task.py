"""What one task does: it reads its part of the input, checks it, and writes its files of the outputs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from etl.errors import JobError, shown
from etl.ingestion.assignment import Result
from etl.ingestion.checking import check
from etl.ingestion.text import blocks
from etl.ingestion.writing import Quarantine, write_outputs
from etl.storage import storage

if TYPE_CHECKING:
    from etl.ingestion.assignment import Assignment, Rejected, Written
    from etl.ingestion.checking import Problem
    from etl.ingestion.inputs import Part
    from etl.ingestion.table import Table

OUTPUT_BYTES = 512 * 1024**2
"""Data that a task holds before it writes a file of each output; a range of a plain file has less."""
EXAMPLES = 3
"""Rejected records that a task returns."""


def ingest_part(assignment: Assignment, part: Part) -> Result:
    """Do a part of the work; nothing but S3 or the disk makes it fail."""
    began = time.monotonic()
    table = assignment.table
    target = storage(assignment.folder, assignment.source)
    name = f"part-{part.number:05}-{assignment.run_id}"
    quarantine = Quarantine(target, assignment.folder, name)
    outputs: dict[str, list[Written]] = {kind: [] for kind in table.formats}
    held: list[pl.DataFrame] = []
    examples: list[Rejected] = []
    rows = held_bytes = 0

    def flush() -> None:
        frame = pl.concat(held)
        file = f"{name}-c{len(outputs[table.formats[0]]):03}"
        for kind, written in write_outputs(target, assignment.folder, file, frame, table.formats).items():
            outputs[kind].append(written)

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
    return Result(rows, outputs, quarantine.written, examples, time.monotonic() - began)


def output_columns(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns to write.

    Raises:
        JobError: the job's own transformation adds or drops rows, or leaves a required column empty.
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
