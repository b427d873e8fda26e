"""The cost of an execution's jobs with current prices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from helpers.progress import duration
from ml_pipeline.execution_report.model import Cost
from ml_pipeline.executions.jobs import Job

if TYPE_CHECKING:
    from helpers.pricing import Prices


def cost_of_jobs(jobs: Sequence[Job], prices: "Prices", now: datetime) -> Cost:
    """Return what jobs cost: instances times price times the time from their creation to their end."""
    usd = 0.0
    unknown = False
    parts = []
    for job in jobs:
        hour = prices.hourly_price(job.instance_type)
        seconds = ((job.ended or now) - job.created).total_seconds()
        size = f"{job.instances} x {job.instance_type}"
        if hour is None:
            unknown = True
            parts.append(f"{size}, whose price is not known, for {duration(seconds)}")
            continue
        usd += job.instances * hour * seconds / 3600
        parts.append(f"{size} at {hour:g} USD an hour for {duration(seconds)}")
    return Cost(None if unknown else usd, "; ".join(parts))


def total(costs: Iterable[Cost | None]) -> Cost:
    """Return the sum of the steps' costs; unknown where one of them is."""
    known = [cost for cost in costs if cost is not None]
    if any(cost.usd is None for cost in known):
        return Cost(None, "the price of an instance type is not known")
    return Cost(sum(cost.usd or 0.0 for cost in known), "instances from the creation of a job to its end")
