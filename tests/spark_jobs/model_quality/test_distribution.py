"""Distributions in cells: exact between bounds of cells, and the sum of the parts is the whole."""

import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_quality.distribution import cell_numbers, cells, numbers_of, texts_of

FINITE = st.floats(allow_nan=False, allow_infinity=False)
# Numbers whose squares are finite.
MEASURES = st.floats(-1e150, 1e150, allow_subnormal=False)


@given(st.lists(FINITE, min_size=1))
def test_cells_are_in_the_order_of_their_values_and_none_lies_below_its_cell(values) -> None:
    array = np.sort(np.array(values))

    numbers = cell_numbers(array)
    found = cells(array)

    assert (np.diff(numbers) >= 0).all()
    assert found.counts.sum() == len(values)
    lower = dict(zip(found.numbers.tolist(), found.lower_bounds.tolist(), strict=True))
    for value, number in zip(array.tolist(), numbers.tolist(), strict=True):
        assert lower[number] <= value
        assert abs(value - lower[number]) <= abs(lower[number]) / 64 + 1e-300


@given(st.lists(FINITE, min_size=1), st.integers(2, 12))
def test_counts_between_bounds_of_cells_are_those_of_the_values(values, buckets) -> None:
    found = cells(np.array(values))
    edges = found.edges(buckets)

    assert (np.diff(edges) > 0).all()
    counts = found.between(edges).tolist()
    bounds = [-math.inf, *edges.tolist(), math.inf]
    expected = [sum(low <= value < high for value in values) for low, high in pairwise(bounds)]
    assert counts == expected


def test_buckets_have_about_as_many_values_each() -> None:
    values = np.random.default_rng(1).lognormal(3, 1, 10_000)

    found = cells(values)

    counts = found.between(found.edges(10))
    assert counts.sum() == 10_000
    assert abs(counts - 1_000).max() < 60


@given(st.lists(st.none() | MEASURES), st.lists(st.none() | MEASURES))
def test_parts_add_up_to_the_whole(first, second) -> None:
    def described(values):
        return numbers_of(pl.Series(values, dtype=pl.Float64))

    total, whole = described(first) + described(second), described(first + second)

    assert (total.missing, total.present) == (whole.missing, whole.present)
    assert (total.minimum, total.maximum) == (whole.minimum, whole.maximum)
    size = max([abs(value) for value in first + second if value is not None], default=0) + 1e-300
    assert total.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-12 * size)
    assert total.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-9 * size**2)
    assert total.cells.numbers.tolist() == whole.cells.numbers.tolist()
    assert total.cells.counts.tolist() == whole.cells.counts.tolist()


def test_mean_and_deviation_survive_a_large_mean() -> None:
    values = 1e9 + np.random.default_rng(1).normal(0, 1, 1_000)

    parts = [numbers_of(pl.Series(part)) for part in np.split(values, 10)]
    total = parts[0]
    for part in parts[1:]:
        total += part

    assert total.mean == pytest.approx(values.mean(), rel=1e-15)
    assert math.sqrt(total.squares / total.present) == pytest.approx(values.std(), rel=1e-6)


def test_texts_are_counted_by_value_and_missing_ones_apart() -> None:
    first = texts_of(pl.Series(["b", None, "a", "b"]), "abcd")
    second = texts_of(pl.Series(["c", "a"]), "abcd")

    total = first + second

    assert (total.missing, total.present) == (1, 5)
    assert total.counts == {"a": 2, "b": 2, "c": 1}
