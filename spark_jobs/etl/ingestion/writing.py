"""Encodes output files, and writes rejected records.

File names do not depend on the attempt, so that a second attempt of a task replaces the files of the first.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

import polars as pl

from etl.ingestion.assignment import Written

if TYPE_CHECKING:
    from etl.ingestion.assignment import Rejected
    from etl.storage import Storage

SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata"
"""Key of the Spark schema in the metadata of a Parquet file."""
ARROW_SCHEMA = b"ARROW:schema"
IGNORED_SCHEMA = b"polars:types"
FOOTER_LENGTH = 8
"""Bytes at the end of a Parquet file: the length of the footer (4), and PAR1 (4)."""
QUARANTINE_BYTES = 32 * 1024**2
"""Maximum size of rejected records in memory before a task writes a file."""


def _parquet(frame: pl.DataFrame) -> tuple[memoryview, int]:
    """Return a Parquet file, and the number of rows in its footer."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="snappy", metadata={SPARK_SCHEMA: spark_schema(frame.schema)})
    content = buffer.getbuffer()
    _hide_arrow_schema(content)
    buffer.seek(0)
    return content, int(pl.scan_parquet(buffer).select(pl.len()).collect().item())


def _hide_arrow_schema(content: memoryview) -> None:
    """Rename the key of the Arrow schema, so that readers use the Parquet types, not Arrow's large_string."""
    footer = int.from_bytes(content[-FOOTER_LENGTH : -FOOTER_LENGTH + 4], "little")
    begin = len(content) - FOOTER_LENGTH - footer
    at = bytes(content[begin:]).find(ARROW_SCHEMA)
    if at >= 0:
        content[begin + at : begin + at + len(ARROW_SCHEMA)] = IGNORED_SCHEMA


def _csv(frame: pl.DataFrame) -> tuple[memoryview, int]:
    buffer = io.BytesIO()
    frame.write_csv(buffer, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    return buffer.getbuffer(), len(frame)


ENCODERS: Mapping[str, tuple[Callable[[pl.DataFrame], tuple[memoryview, int]], str]] = {
    "parquet": (_parquet, ".snappy.parquet"),
    "csv": (_csv, ".csv"),
}
"""The function that encodes a data frame, and the file suffix, by format."""


def spark_schema(schema: pl.Schema) -> str:
    """Return a schema in the JSON format of Spark."""
    fields = [
        {"name": name, "type": _spark_type(dtype), "nullable": True, "metadata": {}}
        for name, dtype in schema.items()
    ]
    return json.dumps({"type": "struct", "fields": fields})


def _spark_type(dtype: Any) -> str:
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamp" if dtype.time_zone else "timestamp_ntz"
    return _SPARK_TYPES[dtype]


_SPARK_TYPES = {
    pl.String: "string",
    pl.Float64: "double",
    pl.Float32: "float",
    pl.Int64: "long",
    pl.Int32: "integer",
    pl.Int16: "short",
    pl.Int8: "byte",
    pl.Boolean: "boolean",
    pl.Date: "date",
}


class Quarantine:
    """Writes the rejected records of a task as JSON lines with file, line and reason."""

    def __init__(self, files: Storage, folder: str, name: str):
        self._files, self._folder, self._name = files, folder, name
        self._lines: list[str] = []
        self._held = 0
        self.written: list[Written] = []

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Add records, and write a file if their size exceeds QUARANTINE_BYTES."""
        for each in rejected:
            line = json.dumps(each._asdict(), ensure_ascii=False, separators=(",", ":"))
            self._lines.append(line)
            self._held += len(line)
            if self._held > QUARANTINE_BYTES:
                self.flush()

    def flush(self) -> None:
        """Write the added records to a file, if there are any."""
        if self._lines:
            content = "".join(f"{line}\n" for line in self._lines).encode("utf-8", "replace")
            name = f"{self._name}-c{len(self.written):03}.json"
            self._files.write(f"{self._folder}/rejected/{name}", content)
            self.written.append(Written(name, len(content), len(self._lines)))
            self._lines, self._held = [], 0
