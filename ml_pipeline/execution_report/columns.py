"""Describes the columns of a sample next to the previous run: histograms, frequencies, summary statistics."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_pipeline.execution_report.model import Column, Figures, Frequency, Histogram

BINS = 24
FREQUENT = 6
"""Number of values shown for a text column."""
_CHARACTERS = 40


def describe_columns(table: pa.Table, previous: pa.Table | None) -> tuple[Column, ...]:
    """Return a description of each column of a table.

    Args:
        table: a sample of the rows.
        previous: a sample of the previous run, if any. A column is compared with the column of the same name
            if both are numbers, times or texts.
    """
    return tuple(
        _described(field.name, field.type, table[field.name], _same(previous, field))
        for field in table.schema
    )


def _same(previous: pa.Table | None, field: pa.Field) -> pa.ChunkedArray | None:
    if previous is None or field.name not in previous.schema.names:
        return None
    column = previous[field.name]
    return column if _kind(column.type) == _kind(field.type) else None


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        return "time"
    if pa.types.is_nested(type_) or pa.types.is_binary(type_) or pa.types.is_null(type_):
        return "opaque"
    return "word"


def _described(name: str, type_: pa.DataType, now: pa.ChunkedArray, before: pa.ChunkedArray | None) -> Column:
    kind = _kind(type_)
    if kind in {"number", "time"}:
        values, earlier = _numbers(now, kind), None if before is None else _numbers(before, kind)
        return Column(
            name,
            str(type_),
            _figures(now, values, kind),
            None if before is None or earlier is None else _figures(before, earlier, kind),
            histogram=_histogram(values, earlier, kind),
        )
    return Column(
        name,
        str(type_),
        Figures(_null_share(now)),
        None if before is None else Figures(_null_share(before)),
        frequencies=_frequencies(now, before) if kind == "word" else (),
    )


def _null_share(column: pa.ChunkedArray) -> float:
    return column.null_count / len(column) if len(column) else 0.0


def _numbers(column: pa.ChunkedArray, kind: str) -> "np.ndarray[Any, Any]":
    """Return the finite values as floats. Times are seconds since 1970."""
    if kind == "time":
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    values = column.drop_null().cast(pa.float64(), safe=False).to_numpy()
    found: np.ndarray[Any, Any] = values[np.isfinite(values)]
    return found / 1e6 if kind == "time" else found


def _figures(column: pa.ChunkedArray, values: "np.ndarray[Any, Any]", kind: str) -> Figures:
    if not len(values):
        return Figures(_null_share(column))
    low, mean, high = float(values.min()), float(values.mean()), float(values.max())
    return Figures(_null_share(column), *(_text(value, kind) for value in (low, mean, high)))


def _histogram(
    values: "np.ndarray[Any, Any]", earlier: "np.ndarray[Any, Any] | None", kind: str
) -> Histogram | None:
    known: Sequence[np.ndarray[Any, Any]] = [
        each for each in (values, earlier) if each is not None and len(each)
    ]
    if not len(values):
        return None
    low = min(float(each.min()) for each in known)
    high = max(float(each.max()) for each in known)
    bins = _bins(low, high, known)
    return Histogram(
        _text(low, kind),
        _text(high, kind),
        _counts(values, low, high, bins),
        None if earlier is None else _counts(earlier, low, high, bins),
    )


def _bins(low: float, high: float, known: Sequence["np.ndarray[Any, Any]"]) -> int:
    """Return the number of bins: one per value for few whole numbers, because other bins would have gaps."""
    span = high - low
    if 0 < span < BINS and all(bool((each == np.floor(each)).all()) for each in known):
        return int(span) + 1
    return BINS if span and math.isfinite(span) else 1


def _counts(values: "np.ndarray[Any, Any]", low: float, high: float, bins: int) -> tuple[int, ...]:
    if bins == 1:
        return (len(values),)
    counts, _ = np.histogram(values, bins=bins, range=(low, high))
    return tuple(int(count) for count in counts)


def _frequencies(now: pa.ChunkedArray, before: pa.ChunkedArray | None) -> tuple[Frequency, ...]:
    shares = _shares(now)
    earlier = None if before is None else _shares(before)
    most = sorted(shares, key=lambda value: -shares[value])[:FREQUENT]
    return tuple(
        Frequency(_cut(value), shares[value], None if earlier is None else earlier.get(value, 0.0))
        for value in most
    )


def _shares(column: pa.ChunkedArray) -> dict[str, float]:
    counted = pc.value_counts(column.drop_null().cast(pa.string()).combine_chunks())
    total = len(column) - column.null_count
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return {value: count / total for value, count in pairs}


def _cut(value: str) -> str:
    text = "".join(each if each.isprintable() else "�" for each in value)
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"


def _text(value: float, kind: str) -> str:
    if kind == "time":
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}".removesuffix(" 00:00")
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.4g}"
