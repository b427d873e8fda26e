"""The records of a file, and the batches in which they are sent."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from helpers.local_aws.transform.filters import Columns

Batch = list[bytes]
"""Records without line endings."""


class PayloadError(ValueError):
    """A record is larger than the maximum request."""


def read_records(file: Path, *, by_line: bool, compressed: bool) -> Iterator[bytes]:
    """Yield the lines of a file, or its content as one record; nothing for an empty file."""
    with gzip.open(file) if compressed else file.open("rb") as content:
        if by_line:
            yield from (line.rstrip(b"\r\n") for line in content)
        elif whole := content.read():
            yield whole


def batches(records: Iterable[bytes], most_bytes: int, *, single: bool) -> Iterator[Batch]:
    """Yield records in batches.

    Args:
        records: the records in the order of their file.
        most_bytes: maximum size of a request, including line endings.
        single: whether each record is a batch.

    Raises:
        PayloadError: a record is too large.
    """
    batch: Batch = []
    size = 0
    for record in records:
        length = len(record) + 1
        if length - 1 > most_bytes:
            raise PayloadError(
                f"Too much data for max payload size: a record has {length - 1} bytes, and MaxPayloadInMB "
                f"allows {most_bytes}"
            )
        if batch and (single or size + length > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch


def split_csv(record: bytes) -> Columns:
    """Return the columns of a CSV record."""
    text = record.decode()
    return next(csv.reader([text]), []) if '"' in text else text.split(",")


def join_csv(columns: Sequence[str]) -> bytes:
    """Return columns as a CSV record, quoted if necessary."""
    text = ",".join(columns)
    if text.count(",") == len(columns) - 1 and '"' not in text:
        return text.encode()
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(columns)
    return written.getvalue().encode()
