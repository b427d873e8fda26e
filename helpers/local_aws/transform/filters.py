"""InputFilter and OutputFilter: JSONPath expressions that select the columns of a CSV record.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html: unlike in Python, slices
include both ends.
"""

import re
from collections.abc import Callable, Sequence

Columns = list[str]
Select = Callable[[Sequence[str]], Columns]
"""Returns the columns that an expression selects; raises FilterError if one does not exist."""

_EXPRESSION = re.compile(r"\$(\[(?P<indexes>-?\d+(\s*,\s*-?\d+)*)\]|\[(?P<low>-?\d*):(?P<high>-?\d*)\])?")


class FilterError(ValueError):
    """An expression is not supported, or a record does not have its columns."""


def parse_filter(text: str) -> Select:
    """Return the selector for an expression: `$`, `$[0]`, `$[0,-1]`, `$[1:]`, `$[:5]` or `$[1:4]`.

    Raises:
        FilterError: the expression is not supported.
    """
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise FilterError(f"the filter {text}; it supports $, $[0], $[0,-1], $[1:], $[:5] and $[1:4] of CSV")
    if match["indexes"]:
        indexes = [int(index) for index in match["indexes"].split(",")]
        return lambda columns: [_at(columns, index, text) for index in indexes]
    if match["low"] is None:
        return list
    low = int(match["low"] or 0)
    high = int(match["high"] or -1)
    return lambda columns: list(columns[low : None if high == -1 else high + 1])


def leading_columns(text: str) -> int | None:
    """Return how many columns an expression leaves out at the beginning, or None if it does anything else."""
    match = re.fullmatch(r"\$(?:\[(\d+):(?:-1)?\])?", text)
    return int(match[1] or 0) if match else None


def _at(columns: Sequence[str], index: int, text: str) -> str:
    try:
        return columns[index]
    except IndexError:
        raise FilterError(f"The filter {text} names a column of a record that has {len(columns)}") from None
