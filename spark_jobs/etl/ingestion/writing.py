"""Writes the files of a task atomically, with names that a second attempt reuses."""

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
"""Where a Parquet file holds the schema of its data frame for Spark."""
ARROW_SCHEMA = b"ARROW:schema"
IGNORED_SCHEMA = b"polars:types"
FOOTER_LENGTH = 8
"""Bytes at the end of a Parquet file: the length of its footer, and PAR1."""
QUARANTINE_BYTES = 32 * 1024**2
"""Text of rejected records that a task holds before it writes a file of them."""


def _parquet(frame: pl.DataFrame) -> tuple[memoryview, int]:
    """Return a Parquet file, and the rows that its footer counts."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="snappy", metadata={SPARK_SCHEMA: spark_schema(frame.schema)})
    content = buffer.getbuffer()
    _hide_arrow_schema(content)
    buffer.seek(0)
    return content, int(pl.scan_parquet(buffer).select(pl.len()).collect().item())


def _hide_arrow_schema(content: memoryview) -> None:
    """Have readers take Parquet's own types: Arrow's schema makes a large_string of each string."""
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
"""What makes a file of a data frame, and the end of its name, by format."""


def spark_schema(schema: pl.Schema) -> str:
    """Return a schema as Spark writes it."""
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
    """The rejected records of one task, as JSON lines of file, line and reason."""

    def __init__(self, files: Storage, folder: str, name: str):
        self._files, self._folder, self._name = files, folder, name
        self._lines: list[str] = []
        self._held = 0
        self.written: list[Written] = []

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Take records; write a file where many have come together."""
        for each in rejected:
            line = json.dumps(each._asdict(), ensure_ascii=False, separators=(",", ":"))
            self._lines.append(line)
            self._held += len(line)
            if self._held > QUARANTINE_BYTES:
                self.flush()

    def flush(self) -> None:
        """Write the records that have come together."""
        if self._lines:
            content = "".join(f"{line}\n" for line in self._lines).encode("utf-8", "replace")
            name = f"{self._name}-c{len(self.written):03}.json"
            self._files.write(f"{self._folder}/rejected/{name}", content)
            self.written.append(Written(name, len(content), len(self._lines)))
            self._lines, self._held = [], 0
