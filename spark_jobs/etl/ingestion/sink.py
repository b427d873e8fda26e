"""Writes the valid rows of a job: files of data sets, and a summary for the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Optional, Sequence, Union

if TYPE_CHECKING:
    import polars as pl

    from etl.ingestion.table import Table
    from etl.report import Check, Output
    from etl.storage import Storage


class File(NamedTuple):
    """A file of a data set, before it is written."""

    data_set: str
    suffix: str
    """The file suffix, such as .csv."""
    content: Union[bytes, memoryview]
    rows: int


class SinkResult(NamedTuple):
    """The result of a sink for rows."""

    files: Sequence[File]
    summary: Any = None
    """A summary of the rows. The summaries of all tasks are added with `+`."""


class Sink:
    """Defines what a job writes. Each task has a copy of the sink."""

    data_sets: Mapping[str, str]
    """The format of each data set by name: parquet or csv."""
    each_has_all_rows = True
    """Whether each data set contains all rows. Otherwise, each row is in one data set."""
    marks_success = True
    """Whether to write a file _SUCCESS into complete data sets. Some readers read this file as data."""

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the files of rows, and a summary. Tasks call this method."""
        raise NotImplementedError

    def finish(
        self, files: Storage, folder: str, written: Mapping[str, Output], summary: Any
    ) -> Optional[Check]:
        """Complete the run. The driver calls this method before anything is published.

        Args:
            files: the storage of the run.
            folder: the folder of the run.
            written: the complete data sets.
            summary: the sum of the summaries of all tasks, or None.

        Returns:
            A failed check to withhold the run, or None. Data sets of a withheld run are deleted, but the job
            succeeds, and the pipeline decides what to do.

        Raises:
            JobError: the run must not be published. Its data sets are deleted, and the job fails.
        """


class Formats(Sink):
    """Writes all rows in each format of a table, to a folder with the name of the format."""

    def __init__(self, table: Table):
        self.data_sets = {kind: kind for kind in table.formats}

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the files of rows."""
        return SinkResult([encoded(kind, kind, rows) for kind in self.data_sets])


def encoded(data_set: str, kind: str, rows: pl.DataFrame) -> File:
    """Return rows as a file of a format."""
    from etl.ingestion.writing import ENCODERS  # noqa: PLC0415 - imports Polars

    encode, suffix = ENCODERS[kind]
    content, count = encode(rows)
    return File(data_set, suffix, content, count)
