"""The output of a job for its valid rows: the files of data sets, and a summary for the driver."""

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
    """The end of its name, as .csv."""
    content: Union[bytes, memoryview]
    rows: int


class Taken(NamedTuple):
    """What a sink makes of rows."""

    files: Sequence[File]
    summary: Any = None
    """Of the rows; those of all tasks are added up with `+`."""


class Sink:
    """What a job makes of its valid rows. Tasks get a copy of it."""

    data_sets: Mapping[str, str]
    """The format of each data set that it writes, by name: parquet, csv."""
    each_has_all_rows = True
    """Whether each data set has all rows; otherwise each row is in one of them."""
    marks_success = True
    """Whether a data set that is whole has a file _SUCCESS, which some readers take for data."""

    def take(self, rows: pl.DataFrame) -> Taken:
        """Return the files of some rows, and their summary; called by tasks."""
        raise NotImplementedError

    def finish(
        self, files: Storage, folder: str, written: Mapping[str, Output], summary: Any
    ) -> Optional[Check]:
        """Complete the run; called by the driver before anything is published.

        Args:
            files: of the run.
            folder: of the run.
            written: the data sets, which are whole.
            summary: the sum of the tasks' summaries; None if there are none.

        Returns:
            The check because of which nothing of the run is published, if there is one. Its data sets are
            removed, and the pipeline decides about the rest.

        Raises:
            JobError: the run must not be published. Its data sets are removed.
        """


class Formats(Sink):
    """Writes all rows in each format of a table, to a folder of that name."""

    def __init__(self, table: Table):
        self.data_sets = {kind: kind for kind in table.formats}

    def take(self, rows: pl.DataFrame) -> Taken:
        """Return the files of some rows."""
        return Taken([encoded(kind, kind, rows) for kind in self.data_sets])


def encoded(data_set: str, kind: str, rows: pl.DataFrame) -> File:
    """Return rows as a file of a format."""
    from etl.ingestion.writing import ENCODERS  # noqa: PLC0415 - Polars, which the driver does not need

    encode, suffix = ENCODERS[kind]
    content, count = encode(rows)
    return File(data_set, suffix, content, count)
