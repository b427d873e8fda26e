"""Validates a block of records: returns valid ones as data frames, and rejected ones with the reason.

Polars converts a whole block at once, which suffices for plain records. Records that it does not accept are
converted again without quotes and spaces around fields, and then one by one.
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from etl.ingestion.assignment import Rejected
from etl.ingestion.formats import other_format
from etl.ingestion.records import find_records, is_regular, without_enclosing_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.ingestion.records import Array
    from etl.ingestion.table import Table

WRONG_HEADER = "is a header line with other columns"
NO_COLUMN_NAMES = frozenset(
    ("NaN", "nan", "NA", "N/A", "NULL", "Null", "null", "None", "Inf", "Infinity"),
)
"""Words that occur as values, and are therefore not considered column names."""

_VALID = "\0valid"
_WORD = re.compile(r"[ \t\n\x0b\f\r]*[^\W\d_]")
_BLANK_LINE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*")
_QUOTED = re.compile(rb'(^|,)[ \t\x0b\f\r]*"([^",\n]*)"[ \t\x0b\f\r]*(?=,|$)', re.MULTILINE)
_PADDED = re.compile(rb" *(,|\n) *")
_COMPRESSED = (b"\x1f", b"x", b"\x28")
"""First bytes of text that Polars would read as a compressed file."""


class Block(NamedTuple):
    """Complete records of one or more files. Lines end with a line feed."""

    text: bytes
    offsets: list[int]
    """The position of the first byte of each file."""
    files: list[str]

    def file_at(self, position: int) -> str:
        """Return the file that contains a position."""
        return self.files[bisect_right(self.offsets, position) - 1]


class Problem(NamedTuple):
    """A problem of a whole file, with which the job fails."""

    file: str
    line: str
    reason: str


class Checked(NamedTuple):
    """The result for a block: data frames of valid records with all fields, and rejected records."""

    valid: list[pl.DataFrame]
    rejected: list[Rejected]
    problem: Problem | None = None


def check(table: Table, block: Block) -> Checked:
    """Return the valid and rejected records of a block."""
    if table.takes_header_for_a_record:
        block = _without_headers(table, block)
    if table.multiline and b'"' in block.text:
        return _check_records(table, block)
    frame = convert(table, block.text)
    valid = frame.get_column(_VALID).all()
    if valid and is_regular(block.text, table.separator, len(table.fields), len(frame)):
        return _with_rules(table, block, [(frame.drop(_VALID), None)], [])
    return _check_records(table, block, frame)


def _without_headers(table: Table, block: Block) -> Block:
    """Return a block without the header lines of its files."""
    texts, offsets, size = [], [], 0
    for begin, end in zip(block.offsets, [*block.offsets[1:], len(block.text)], strict=True):
        after = block.text.find(b"\n", begin, end) + 1
        fields = split(table, block.text[begin : after - 1].decode("utf-8", "replace"))
        texts.append(block.text[after if fields and table.is_header(fields) else begin : end])
        offsets.append(size)
        size += len(texts[-1])
    return Block(b"".join(texts), offsets, block.files)


def convert(table: Table, text: bytes) -> pl.DataFrame:
    """Return a data frame with a row for each line: the values of all fields, and whether it is valid."""
    raw = _read(table, text)
    valid = pl.all_horizontal(*(_is_valid(field) for field in table.fields)).fill_null(value=False)
    return raw.select(*(field.values().alias(field.name) for field in table.fields), valid.alias(_VALID))


def _is_valid(field: Any) -> pl.Expr:
    accepted = field.accepted(field.values())
    return accepted if field.required else accepted | pl.col(field.name).is_null()


def _read(table: Table, text: bytes) -> pl.DataFrame:
    disguised = text.startswith(_COMPRESSED)
    options: dict[str, Any] = {
        "has_header": False,
        "schema": {field.name: field.read_as() for field in table.fields},
        "separator": table.separator,
        "quote_char": '"' if table.multiline else None,
        "ignore_errors": True,
        "extra_columns": "ignore",
        "missing_columns": "insert",
        "raise_if_empty": False,
        "glob": False,
    }
    text = b"\n" + text if disguised else text
    try:
        frame = pl.read_csv(text, **options)
    except pl.exceptions.ComputeError:  # text that is not UTF-8
        frame = pl.read_csv(text, **options, encoding="utf8-lossy")
    return frame.slice(1) if disguised else frame


def _check_records(table: Table, block: Block, frame: pl.DataFrame | None = None) -> Checked:
    """Return the valid and rejected records of a block with unusual records.

    Args:
        table: the declared schema.
        block: the records.
        frame: the rows of the records, if they were already converted.
    """
    records = find_records(block.text, table.separator, multiline=table.multiline)
    exact = (records.separators == len(table.fields) - 1) & records.quoted
    if frame is None and exact.all():
        frame = convert(table, block.text)
    if frame is not None and len(frame) == len(exact):
        valid = frame.get_column(_VALID).to_numpy() & exact
        accepted = frame.filter(pl.Series(valid))
    else:  # with quotes inside fields, Polars returns other rows
        accepted, valid = _convert_exact(table, records.select(block.text, exact), exact)
    parts = [(accepted.drop(_VALID), np.flatnonzero(valid))]
    left = np.flatnonzero(~valid)
    if len(left) and not table.multiline:
        text = normalized(records.select(block.text, ~valid), table.separator)
        again = convert(table, text)
        found = find_records(text, table.separator, multiline=False)
        fits = again.get_column(_VALID).to_numpy() & (found.separators == len(table.fields) - 1)
        parts.append((again.filter(pl.Series(fits)).drop(_VALID), left[fits]))
        left = left[~fits]
    return _one_by_one(table, block, records, parts, left)


def _convert_exact(table: Table, text: bytes, exact: Array) -> tuple[pl.DataFrame, Array]:
    """Return the valid rows of the selected records, and a mask of these records in the block."""
    frame = convert(table, text)
    valid, chosen = np.zeros(len(exact), bool), np.flatnonzero(exact)
    if len(frame) != len(chosen):
        return frame.clear(), valid
    accepted = frame.get_column(_VALID).to_numpy()
    valid[chosen[accepted]] = True
    return frame.filter(pl.Series(accepted)), valid


def normalized(text: bytes, separator: str) -> bytes:
    r"""Return lines without quotes and spaces around fields. Other quotes are kept, and make a field invalid.

    >>> normalized(b'M , "1.5"\n', ",")
    b'M,1.5\n'
    """
    mark = re.escape(separator.encode())
    if b'"' in text:
        text = without_enclosing_quotes(text, separator)
    if b'"' in text:
        text = re.sub(_QUOTED.pattern.replace(b",", mark), rb"\1\2", text, flags=re.MULTILINE)
    return re.sub(rb" *(" + mark + rb"|\n) *", rb"\1", text) if b" " in text else text


def _one_by_one(
    table: Table, block: Block, records: Any, parts: list[tuple[pl.DataFrame, Array]], left: Array
) -> Checked:
    rejected: list[Rejected] = []
    rows: list[list[Any]] = []
    numbers: list[int] = []
    for number in left.tolist():
        start = int(records.starts[number])
        raw = block.text[start : int(records.ends[number]) - 1]
        line = raw.decode("utf-8", "replace")
        if _BLANK_LINE.fullmatch(line):
            continue
        fields = split(table, line)
        if fields is not None and table.is_header(fields):
            continue
        reason = record_rejection_reason(table, fields)
        if reason is None and fields is not None:
            rows.append([_value(field, text) for field, text in zip(table.fields, fields, strict=True)])
            numbers.append(number)
            continue
        file = block.file_at(start)
        if fatal := other_format(raw) or _wrong_header(table, fields):
            return Checked([], [], Problem(file, line, fatal))
        rejected.append(Rejected(file, line, str(reason)))
    if rows:
        schema = {field.name: field.dtype() for field in table.fields}
        parts = [*parts, (pl.DataFrame(rows, schema=schema, orient="row"), np.array(numbers))]
    return _with_rules(table, block, parts, rejected)


def split(table: Table, record: str) -> list[str] | None:
    """Return the texts of the fields of a record, or None if quotes do not enclose whole fields."""
    if table.multiline:
        lines = io.StringIO(record, newline="\n")
        try:
            (fields,) = csv.reader(lines, delimiter=table.separator, strict=True)
        except (csv.Error, ValueError):
            return None
        return fields
    if '"' in record:
        record = normalized(record.encode() + b"\n", table.separator)[:-1].decode()
    return record.split(table.separator)


def record_rejection_reason(table: Table, fields: list[str] | None) -> str | None:
    """Return why a record is rejected, or None if it is valid.

    Args:
        table: the declared schema.
        fields: the texts of the record, or None if quotes do not enclose whole fields.
    """
    if fields is None:
        return "quotes that do not enclose a field"
    if len(fields) != len(table.fields):
        return f"{len(fields)} fields instead of {len(table.fields)}"
    found = (_field_rejection_reason(field, text) for field, text in zip(table.fields, fields, strict=True))
    return "; ".join(each for each in found if each) or None


def _field_rejection_reason(field: Any, text: str) -> str | None:
    if not text.strip(" "):
        return f"{field.name} is missing" if field.required else None
    rejection_reason: str | None = field.rejection_reason(text)
    return rejection_reason


def _value(field: Any, text: str) -> Any:
    return field.value(text) if text.strip(" ") else None


def _wrong_header(table: Table, fields: list[str] | None) -> str | None:
    """Return a problem if a rejected record is a header line, or None.

    A header line contains at least three names of fields, or only words, one for each field.
    """
    if fields is None:
        return None
    values = NO_COLUMN_NAMES | table.words
    words = all(_WORD.match(field) and field.strip(" ") not in values for field in fields)
    if table.known_names(fields) >= 3 or (words and len(fields) == len(table.fields)):
        return WRONG_HEADER
    return None


def _with_rules(
    table: Table, block: Block, parts: list[tuple[pl.DataFrame, Array | None]], rejected: list[Rejected]
) -> Checked:
    """Reject records that violate a rule between fields. The reason is the first violated rule."""
    frames = []
    for part, numbers in parts:
        frame = part
        places: Array = np.arange(len(frame)) if numbers is None else numbers
        for reason, rule in table.rules.items():
            meets = frame.select(rule.fill_null(value=True)).to_series()
            if not meets.all():
                kept = meets.to_numpy()
                rejected += _quarantined(table, block, places[~kept], reason)
                frame, places = frame.filter(meets), places[kept]
        if len(frame):
            frames.append(frame)
    return Checked(frames, rejected)


def _quarantined(table: Table, block: Block, numbers: Array, reason: str) -> Iterator[Rejected]:
    records = find_records(block.text, table.separator, multiline=table.multiline)
    for number in numbers.tolist():
        start, end = int(records.starts[number]), int(records.ends[number]) - 1
        yield Rejected(block.file_at(start), block.text[start:end].decode("utf-8", "replace"), reason)
