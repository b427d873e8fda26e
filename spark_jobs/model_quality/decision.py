"""Whether a model is to be registered: good enough, new, and better than the approved one."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple

from etl.errors import JobError

from model_quality.metrics import LOWER_IS_BETTER

REGISTER, UNCHANGED, REJECT = "register", "unchanged", "reject"


class Thresholds(NamedTuple):
    """What a model must meet."""

    metric: str
    limit: float
    """The worst value of the metric."""
    min_improvement: float
    """By how much the metric must be better than that of the approved model, the champion."""

    def check(self) -> None:
        """Check the numbers of the command line.

        Raises:
            JobError: one is not finite, or a worse model is an improvement.
        """
        # Nothing is above or below a NaN: each model would meet such a limit.
        if not math.isfinite(self.limit):
            raise JobError(f"--limit {self.limit}: write the worst value of {self.metric}, a finite number")
        if not (math.isfinite(self.min_improvement) and self.min_improvement >= 0):
            raise JobError(
                f"--min_improvement {self.min_improvement}: write by how much {self.metric} must be better "
                "than that of the approved model, a finite number that is not negative"
            )


class Decision(NamedTuple):
    """What becomes of a model, and why, in one sentence."""

    decision: str
    reason: str


def decide(
    metrics: Mapping[str, float],
    champion: Mapping[str, float] | None,
    thresholds: Thresholds,
    *,
    same: bool = False,
) -> Decision:
    """Return what becomes of a model.

    Args:
        metrics: of the model.
        champion: the metrics of the approved model on the same rows; None where no model is approved.
        thresholds: what must be met.
        same: whether the model is the approved one.
    """
    if same:
        return Decision(UNCHANGED, "this model is the approved one.")
    name, limit, least = thresholds
    value = metrics[name]
    lower = LOWER_IS_BETTER[name]
    sign = -1 if lower else 1
    if sign * (value - limit) < 0:
        return Decision(
            REJECT, f"{name} {value:.6g} is {'above' if lower else 'below'} the limit {limit:.6g}."
        )
    within = f"{name} {value:.6g} meets the limit {limit:.6g}"
    if champion is None:
        return Decision(REGISTER, f"{within}, and no model is approved yet.")
    gain = sign * (value - champion[name])
    figures = f"that of the approved model, {champion[name]:.6g}, on the same test data"
    if gain > 0 and gain >= least:
        return Decision(REGISTER, f"{within}, and is better than {figures}.")
    by = f" by {least:.6g}" if least else ""
    return Decision(REJECT, f"{within}, but is not better{by} than {figures}.")
