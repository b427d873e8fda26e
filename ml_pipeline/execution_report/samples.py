"""Reads a sample of a Parquet data set, with limits on rows, files, columns and memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ml_pipeline.execution_report.data_files import DataFile, ObjectReader, list_data_files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_ROWS = 100_000
"""Maximum number of rows of a sample, divided evenly among the files that are read."""
MOST_FILES = 16
MOST_COLUMNS = 40
MOST_BYTES = 256 << 20
"""Maximum size of a sample in memory."""
_BATCH_ROWS = 5_000
_READ_BYTES = 1 << 20
"""Bytes per read of a column. A column chunk can be much larger than the part that is needed."""


@dataclass(frozen=True)
class Sample:
    """The first rows of several files of a data set, and the number of columns that were not read."""

    table: pa.Table
    columns_left_out: int


def read_sample(s3: "S3Client", folder: str) -> Sample | None:
    """Return a sample of a Parquet data set, or None if it has no files.

    The sample contains the first rows of files that are evenly spaced in the order of their names.

    Raises:
        ClientError: you do not have permission to read the data.
        pyarrow.ArrowInvalid: a file is not valid Parquet.
    """
    files = list_data_files(s3, folder)
    chosen = _evenly(files)
    if not chosen:
        return None
    batches: list[pa.RecordBatch] = []
    left_out = 0
    for file in chosen:
        left_out = max(left_out, _take(s3, file, MOST_ROWS // len(chosen), batches))
    schema = pa.unify_schemas([batch.schema for batch in batches], promote_options="permissive")
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    return Sample(pa.concat_tables(tables, promote_options="permissive").select(schema.names), left_out)


def _evenly(files: list[DataFile]) -> list[DataFile]:
    count = min(MOST_FILES, len(files))
    return [files[number * len(files) // count] for number in range(count)]


def _take(s3: "S3Client", file: DataFile, rows: int, batches: list[pa.RecordBatch]) -> int:
    """Append the first rows of a file to `batches`, and return the number of columns that were not read."""
    with pq.ParquetFile(ObjectReader(s3, file), buffer_size=_READ_BYTES, pre_buffer=False) as parquet:
        names = parquet.schema_arrow.names
        shown = names[:MOST_COLUMNS]
        size = sum(batch.nbytes for batch in batches)
        for batch in parquet.iter_batches(batch_size=min(rows, _BATCH_ROWS), columns=shown):
            if rows <= 0 or size > MOST_BYTES:
                break
            part = batch.slice(0, rows)
            batches.append(part)
            rows -= part.num_rows
            size += part.nbytes
        else:
            if not batches:  # keeps the columns of a data set without rows
                batches.append(pa.RecordBatch.from_pylist([], schema=parquet.schema_arrow).select(shown))
    return len(names) - len(shown)
