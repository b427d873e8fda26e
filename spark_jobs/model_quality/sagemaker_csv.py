"""CSV as the built-in algorithms of SageMaker take it: without header, since a header would be a row."""

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
