"""Chooses the hyperparameters of the training jobs of a tuning job: randomly, or from a grid."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Assignment = dict[str, str]
"""Hyperparameter values by name, as strings for the container."""


@dataclass(frozen=True)
class Range:
    """The range of one hyperparameter.

    Attributes:
        choices: the values of a categorical range; other ranges have bounds, which are inclusive.
        scaling: `Linear`, `Logarithmic` or `ReverseLogarithmic`; `Auto` is Linear here.
    """

    name: str
    choices: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    is_integer: bool = False
    scaling: str = "Auto"

    def problems(self) -> Iterator[str]:
        """Yield the problems of its bounds."""
        if self.choices:
            return
        try:
            low, high = self._ends()
        except ValueError:
            kind = "integers" if self.is_integer else "numbers"
            yield f"The range of {self.name} needs {kind}, not {self.low} and {self.high}"
            return
        if low > high:
            yield f"The range of {self.name} begins at {self.low}, after its end {self.high}"
        elif self.scaling == "Logarithmic" and low <= 0:
            yield f"The range of {self.name} begins at {self.low}; Logarithmic needs one above 0"
        elif self.scaling == "ReverseLogarithmic" and not 0 <= low <= high < 1:
            yield (
                f"The range of {self.name} is {self.low} to {self.high}; ReverseLogarithmic takes numbers "
                "from 0 to below 1"
            )

    def draw(self, numbers: random.Random) -> str:
        """Return a random value of the range."""
        if self.choices:
            return numbers.choice(self.choices)
        low, high = self._ends()
        if self.is_integer and self.scaling in {"Auto", "Linear"}:
            return str(numbers.randint(int(low), int(high)))
        if self.scaling == "Logarithmic":
            value = math.exp(numbers.uniform(math.log(low), math.log(high)))
        elif self.scaling == "ReverseLogarithmic":
            value = 1 - math.exp(numbers.uniform(math.log(1 - high), math.log(1 - low)))
        else:
            value = numbers.uniform(low, high)
        value = min(max(value, low), high)
        return str(round(value)) if self.is_integer else str(value)

    def _ends(self) -> tuple[float, float]:
        number = int if self.is_integer else float
        return number(self.low), number(self.high)


def ranges_of(config: Mapping[str, Any]) -> list[Range]:
    """Return the ranges of a HyperParameterTuningJobConfig, without those known only during an execution."""
    ranges = config.get("ParameterRanges") or {}
    found = [
        Range(each["Name"], tuple(each["Values"])) for each in ranges.get("CategoricalParameterRanges") or []
    ]
    for member, is_integer in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        found += [
            Range(
                each["Name"],
                low=each["MinValue"],
                high=each["MaxValue"],
                is_integer=is_integer,
                scaling=each.get("ScalingType") or "Auto",
            )
            for each in ranges.get(member) or []
            if isinstance(each["MinValue"], str) and isinstance(each["MaxValue"], str)
        ]
    return found


def combinations(ranges: Sequence[Range]) -> int:
    """Return the number of points in a grid of ranges."""
    return math.prod(len(each.choices) for each in ranges)


def assignments(config: Mapping[str, Any]) -> Iterator[Assignment]:
    """Yield the hyperparameters of each training job: all points of a grid, otherwise without end.

    Bayesian search draws randomly: the model that SageMaker fits to the results is not public.
    """
    ranges = ranges_of(config)
    names = [each.name for each in ranges]
    if config["Strategy"] == "Grid":
        for values in product(*(each.choices for each in ranges)):
            yield dict(zip(names, values, strict=True))
        return
    numbers = random.Random(config.get("RandomSeed"))  # noqa: S311 - a search
    while True:
        yield {each.name: each.draw(numbers) for each in ranges}
