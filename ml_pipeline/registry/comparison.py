"""Compares two evaluations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.errors import UserError

if TYPE_CHECKING:
    from ml_pipeline.registry.evaluation import Evaluation

ALL_ROWS = "all"


@dataclass(frozen=True)
class Comparison:
    """A metric of two versions on the same part of the test set.

    Attributes:
        part: the part of the test set, such as `sex = F`.
        rows: number of rows of the part in each evaluation; None if an evaluation does not have the part.
        metric: the name of the metric.
        one: its value in the first evaluation; None if it is missing or undefined.
        other: its value in the second evaluation; None if it is missing or undefined.
    """

    part: str
    rows: tuple[int | None, int | None]
    metric: str
    one: float | None
    other: float | None

    @property
    def change(self) -> float | None:
        """The second value minus the first."""
        return None if self.one is None or self.other is None else self.other - self.one


def compare(one: "Evaluation", other: "Evaluation") -> list[Comparison]:
    """Return the metrics of two versions, overall and then by slice, in the order of the first.

    Raises:
        UserError: they predict different labels.
    """
    if one.label != other.label:
        raise UserError(
            f"The versions cannot be compared: one predicts {one.label}, and the other {other.label}",
            hint="Compare versions with the same label",
        )
    return list(_comparisons(_parts(one), _parts(other)))


_Parts = Mapping[str, tuple[int, Mapping[str, float | None]]]
"""The rows and the metrics of each part of the test set."""


def _parts(evaluation: "Evaluation") -> _Parts:
    slices = {f"{each.column} = {each.value}": (each.rows, each.metrics) for each in evaluation.slices}
    return {ALL_ROWS: (evaluation.rows, evaluation.metrics), **slices}


def _comparisons(one: _Parts, other: _Parts) -> Iterator[Comparison]:
    for part in dict.fromkeys([*one, *other]):
        one_rows, one_metrics = one.get(part, (None, {}))
        other_rows, other_metrics = other.get(part, (None, {}))
        for metric in dict.fromkeys([*one_metrics, *other_metrics]):
            yield Comparison(
                part, (one_rows, other_rows), metric, one_metrics.get(metric), other_metrics.get(metric)
            )
