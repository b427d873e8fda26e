"""Splits rows into training, validation and test data by a hash of each row.

A row is always in the same part, independent of other input, files and tasks. Equal rows are in the same
part, so no row of the test data was used for training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)


def shares(encoded: pl.DataFrame) -> Any:
    """Return a number from 0 to 1 for each row, evenly distributed: a hash of its values.

    The values of a row are mixed in sequence, as SplitMix64 mixes its state (Steele, Lea and Flood: Fast
    Splittable Pseudorandom Number Generators, OOPSLA 2014).
    """
    state = np.zeros(len(encoded), np.uint64)
    for column in encoded.iter_columns():
        numbers = column.fill_null(float("nan")).to_numpy() + 0.0  # converts -0.0 to 0.0
        state = _mixed(state ^ numbers.view(np.uint64))
    return (state >> np.uint64(11)) * 2.0**-53


def _mixed(state: Any) -> Any:
    first, second = _MULTIPLIERS
    state = state + _INCREMENT
    state = (state ^ (state >> np.uint64(30))) * first
    state = (state ^ (state >> np.uint64(27))) * second
    return state ^ (state >> np.uint64(31))


def parts(share: Any, validation: float, test: float) -> dict[str, Any]:
    """Return the rows of each part.

    Args:
        share: the number of each row.
        validation: fraction of the rows for validation data.
        test: fraction of the rows for test data.
    """
    return {
        TRAIN: share >= validation + test,
        VALIDATION: (share >= test) & (share < validation + test),
        TEST: share < test,
    }
