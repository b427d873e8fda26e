"""Finds records and fields in a block of text, with vector operations on the whole block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

LINE_FEED, QUOTE = ord("\n"), ord('"')

Array = Any
"""A one-dimensional NumPy array."""


class Records(NamedTuple):
    """The records of a block, including their line ends. Each array has one element per record."""

    starts: Array
    ends: Array
    """The position after the line end."""
    separators: Array
    """The number of separators outside of quotes."""
    quoted: Array
    """Whether all quotes enclose whole fields."""

    def select(self, block: bytes, chosen: Array) -> bytes:
        """Return the text of the selected records, given a mask."""
        text: bytes = _bytes(block)[np.repeat(chosen, self.ends - self.starts)].tobytes()
        return text


def is_regular(block: bytes, separator: str, fields: int, records: int) -> bool:
    """Return whether a block without quotes has the expected numbers of lines and separators.

    The function compares totals. Check separately that no line has too few fields.
    """
    text = _bytes(block)
    return (
        int(np.count_nonzero(text == LINE_FEED)) == records
        and int(np.count_nonzero(text == ord(separator))) == (fields - 1) * records
    )


def find_records(block: bytes, separator: str, *, multiline: bool) -> Records:
    """Return the records of a block, which must end with a line end."""
    text = _bytes(block)
    line_ends, separators = text == LINE_FEED, text == ord(separator)
    misplaced = None
    if multiline and QUOTE in block:
        quotes = text == QUOTE
        inside = np.cumsum(quotes, dtype=np.uint8) & 1  # overflow keeps the parity
        line_ends &= inside == 0
        separators &= inside == 0
        misplaced = _misplaced(text, quotes, inside, separator)
    ends = np.flatnonzero(line_ends) + 1
    starts = np.concatenate(([0], ends[:-1]))
    return Records(
        starts,
        ends,
        _count_between(np.flatnonzero(separators), ends),
        np.ones(len(ends), bool) if misplaced is None else _count_between(misplaced, ends) == 0,
    )


def without_enclosing_quotes(block: bytes, separator: str) -> bytes:
    r"""Return lines without quotes if all quotes of a line enclose fields without separators.

    >>> without_enclosing_quotes(b'"a","",b\n"a,b"\na"\n', ",")
    b'a,,b\n"a,b"\na"\n'
    """
    text = _bytes(block)
    quotes, ends = np.flatnonzero(text == QUOTE), np.flatnonzero(text == LINE_FEED) + 1
    line = np.searchsorted(ends, quotes, side="right")
    before_line = np.searchsorted(quotes, np.concatenate(([0], ends)))
    closing = (np.arange(len(quotes)) - before_line[line]) % 2 == 1
    beside = np.where(closing, text[np.minimum(quotes + 1, len(text) - 1)], text[quotes - 1])
    beside[(quotes == 0) & ~closing] = LINE_FEED
    separators = np.searchsorted(np.flatnonzero(text == ord(separator)), quotes)
    fits = (beside == LINE_FEED) | (beside == ord(separator))
    fits &= ~closing | (separators == np.roll(separators, 1))
    malformed = np.diff(before_line) % 2 == 1
    malformed[line[~fits]] = True
    kept = np.ones(len(text), bool)
    kept[quotes[~malformed[line]]] = False
    enclosed: bytes = text[kept].tobytes()
    return enclosed


def whole_records(block: bytes, *, multiline: bool) -> int:
    """Return the position after the last complete record of a block, or 0."""
    end = block.rfind(b"\n") + 1
    if not multiline or block.count(b'"', 0, end) % 2 == 0:
        return end
    text = _bytes(block)
    inside = np.cumsum(text == QUOTE, dtype=np.uint8) & 1
    ends = np.flatnonzero((text == LINE_FEED) & (inside == 0))
    return int(ends[-1]) + 1 if len(ends) else 0


def _bytes(block: bytes) -> Array:
    return np.frombuffer(block, np.uint8)


def _misplaced(text: Array, quotes: Array, inside: Array, separator: str) -> Array:
    """Return the positions of quotes that are neither at the start or end of a field nor doubled."""
    positions = np.flatnonzero(quotes)
    opening = inside[positions] == 1
    before = text[positions - 1]
    before[positions == 0] = LINE_FEED
    after = text[np.minimum(positions + 1, len(text) - 1)]
    beside = np.where(opening, before, after)
    fits = (beside == LINE_FEED) | (beside == ord(separator)) | (beside == QUOTE)
    return positions[~fits]


def _count_between(positions: Array, ends: Array) -> Array:
    """Return the number of positions between each end and the previous end."""
    return np.diff(np.searchsorted(positions, ends), prepend=0)
