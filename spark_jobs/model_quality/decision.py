"""Decides whether a model is registered: good enough, new, and better than the approved one."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple

from etl.errors import JobError

from model_quality.metrics import LOWER_IS_BETTER

REGISTER, UNCHANGED, REJECT = "register", "unchanged", "reject"


class Thresholds(NamedTuple):
    """The requirements for a model."""

    metric: str
    limit: float
    """The worst accepted value of the metric."""
    min_improvement: float
    """Minimum improvement of the metric over the approved model (the champion)."""

    def check(self) -> None:
        """Check the values of the command line.

        Raises:
            JobError: a value is not finite, or the minimum improvement is negative.
        """
        # A comparison with NaN is always false: every model would meet such a limit.
        if not math.isfinite(self.limit):
            raise JobError(
                f"--limit {self.limit}: expected the worst value of {self.metric}, a finite number"
            )
        if not (math.isfinite(self.min_improvement) and self.min_improvement >= 0):
            raise JobError(
                f"--min_improvement {self.min_improvement}: expected by how much {self.metric} must be "
                "better than that of the approved model, a finite number that is not negative"
            )


class Decision(NamedTuple):
    """The decision on a model, with a reason in one sentence."""

    decision: str
    reason: str


def decide(
    metrics: Mapping[str, float],
    champion: Mapping[str, float] | None,
    thresholds: Thresholds,
    *,
    same: bool = False,
) -> Decision:
    """Return the decision on a model.

    Args:
        metrics: metrics of the model.
        champion: metrics of the approved model on the same rows; None if no model is approved.
        thresholds: the requirements.
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
