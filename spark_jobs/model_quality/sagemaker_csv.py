"""CSV for the built-in algorithms of SageMaker, without a header, which they would read as a row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from etl.ingestion.sink import File

if TYPE_CHECKING:
    import polars as pl


def csv_file(data_set: str, rows: pl.DataFrame) -> File:
    """Return rows as a file of a data set."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False)
    return File(data_set, ".csv", buffer.getbuffer(), len(rows))
