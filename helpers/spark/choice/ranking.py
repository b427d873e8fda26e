"""Ranks clusters for an amount of data and a deadline, cheapest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from helpers.errors import UserError
from helpers.pricing import Prices
from helpers.spark.choice.model import Estimate, Model
from helpers.spark.instances import Instance
from helpers.spark.sizing import size

WAIT = Estimate(4 * 60, 2 * 60, 8 * 60)
"""Seconds until SageMaker has provisioned the instances: assumed. They count for the deadline only."""
BOOT = Estimate(60, 30, 120)
"""Billed seconds of the container before and after Spark: image, HDFS, YARN. Assumed, not measured."""
BURSTABLE = "ml.t"
"""Instance families that are throttled to between 20 % and 40 % of their cores without CPU credits."""


class Meets(StrEnum):
    """Whether a cluster meets the deadline."""

    CERTAIN = "yes"
    """Even at the upper bound of the estimate."""
    LIKELY = "likely"
    """At the estimate, but not at its upper bound."""
    NO = "no"


@dataclass(frozen=True)
class Candidate:
    """A cluster with its estimated duration and cost."""

    instance: Instance
    count: int
    slots: int
    elapsed: Estimate
    """Seconds from the start of the job to its end, including the wait for instances."""
    usd: Estimate

    def meets(self, deadline_seconds: float) -> Meets:
        """Return whether the cluster meets a deadline."""
        if self.elapsed.high <= deadline_seconds:
            return Meets.CERTAIN
        return Meets.LIKELY if self.elapsed.value <= deadline_seconds else Meets.NO


def candidates(
    model: Model, data_bytes: int, prices: Prices, instances: Iterable[Instance], most: int
) -> Iterator[Candidate]:
    """Yield clusters of 1 to `most` instances with a known price and size, without burstable instances."""
    for instance in instances:
        hourly = prices.hourly_price(instance.name)
        if hourly is None or instance.name.startswith(BURSTABLE):
            continue
        for count in range(1, most + 1):
            try:
                slots = size(instance, count, data_bytes).slots
            except UserError:
                break  # too small for a driver and an executor with any number of instances
            paid = BOOT.plus(model.seconds(data_bytes, slots))
            yield Candidate(instance, count, slots, WAIT.plus(paid), paid.times(count * hourly / 3600))


def ranked(found: Iterable[Candidate], deadline_seconds: float) -> list[Candidate]:
    """Return the best cluster of each instance type: those that certainly meet the deadline first, by cost.

    If none meets it, the fastest are first.
    """
    order = list(Meets)

    def rank(candidate: Candidate) -> tuple[float, ...]:
        meets = order.index(candidate.meets(deadline_seconds))
        late = candidate.elapsed.value if order[meets] is Meets.NO else 0.0
        return meets, late, candidate.usd.value, candidate.elapsed.value, candidate.count

    by_type = groupby(sorted(found, key=lambda candidate: candidate.instance), lambda c: c.instance)
    return sorted((min(group, key=rank) for _, group in by_type), key=rank)
