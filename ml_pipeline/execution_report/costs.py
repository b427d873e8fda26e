"""Estimates the cost of the jobs of an execution, at the prices of helpers/pricing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from helpers.progress import duration
from ml_pipeline.execution_report.model import Cost
from ml_pipeline.executions.jobs import Job

if TYPE_CHECKING:
    from helpers.pricing import Prices


def cost_of_jobs(jobs: Sequence[Job], prices: "Prices", now: datetime) -> Cost:
    """Return the cost of jobs: number of instances times price times duration.

    Args:
        jobs: the jobs. Their duration is the time from creation to end.
        prices: the on-demand prices of a region, in USD per hour.
        now: the end of jobs that are still running.
    """
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
    """Return the sum of costs. It is unknown if one of them is unknown."""
    known = [cost for cost in costs if cost is not None]
    if any(cost.usd is None for cost in known):
        return Cost(None, "the price of an instance type is not known")
    return Cost(sum(cost.usd or 0.0 for cost in known), "instances from the creation of a job to its end")
