"""The hyperparameters of training jobs."""

from itertools import islice
from typing import Any

import pytest

from helpers.local_aws.tuning.search import Range, assignments, combinations, ranges_of


def config(strategy: str = "Random", **ranges: Any) -> dict[str, Any]:
    return {"Strategy": strategy, "RandomSeed": 1, "ParameterRanges": ranges}


def ends(name: str, low: str, high: str, scaling: str = "Auto") -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


MIXED = {
    "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
    "ContinuousParameterRanges": [ends("eta", "0.1", "0.5")],
    "IntegerParameterRanges": [ends("max_depth", "3", "5")],
}


def test_draws_lie_in_their_ranges_and_reach_both_ends_of_integers() -> None:
    drawn = list(islice(assignments(config(**MIXED)), 200))
    assert {each["max_depth"] for each in drawn} == {"3", "4", "5"}
    assert {each["booster"] for each in drawn} == {"gbtree", "dart"}
    assert all(0.1 <= float(each["eta"]) <= 0.5 for each in drawn)
    assert len({each["eta"] for each in drawn}) == 200


def test_a_seed_gives_the_same_draws() -> None:
    first, second = (list(islice(assignments(config(**MIXED)), 5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("scaling", "low", "high", "half"),
    [
        ("Linear", "0.0", "1.0", 0.5),
        ("Logarithmic", "0.0001", "1", 0.01),
        ("ReverseLogarithmic", "0", "0.9999", 0.99),
    ],
)
def test_half_of_the_draws_lie_below_the_middle_of_their_scale(
    scaling: str, low: str, high: str, half: float
) -> None:
    given = config(ContinuousParameterRanges=[ends("x", low, high, scaling)])
    drawn = [float(each["x"]) for each in islice(assignments(given), 2000)]
    assert 0.45 < sum(value < half for value in drawn) / len(drawn) < 0.55


def test_a_grid_has_every_combination_once() -> None:
    given = config(
        "Grid",
        CategoricalParameterRanges=[
            {"Name": "a", "Values": ["1", "2"]},
            {"Name": "b", "Values": ["x", "y", "z"]},
        ],
    )
    found = list(assignments(given))
    assert combinations(ranges_of(given)) == len(found) == 6
    assert len({(each["a"], each["b"]) for each in found}) == 6


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (Range("x", low="1.5", high="2", is_integer=True), "needs integers, not 1.5 and 2"),
        (Range("x", low="2", high="1"), "begins at 2, after its end 1"),
        (Range("x", low="0", high="1", scaling="Logarithmic"), "Logarithmic needs one above 0"),
        (Range("x", low="0", high="1", scaling="ReverseLogarithmic"), "from 0 to below 1"),
    ],
)
def test_ranges_that_cannot_be(given: Range, problem: str) -> None:
    assert problem in " ".join(given.problems())
