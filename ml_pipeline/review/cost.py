"""Estimates the cost of an execution from dated prices and from the duration of its steps in earlier runs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from helpers.progress import duration
from ml_pipeline.executions.executions import Execution, Step, take_snapshot

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

    from helpers.pricing import Prices
    from ml_pipeline.params.model import JobSize

LOOKED_AT = 10
"""How many of the newest executions that succeeded show how long a step takes."""


@dataclass(frozen=True)
class StepCost:
    """An estimate for a step, in USD; None where the price of its instances is not known."""

    step: str
    usd: float | None
    basis: str


@dataclass(frozen=True)
class RunCost:
    """An estimate for an execution, step by step."""

    steps: tuple[StepCost, ...]

    @property
    def usd(self) -> float | None:
        """The sum, in USD; None where a step's is not known."""
        known = [step.usd for step in self.steps if step.usd is not None]
        return sum(known) if len(known) == len(self.steps) else None


def run_cost(jobs: Iterable["JobSize"], seconds: Mapping[str, Sequence[float]], prices: "Prices") -> RunCost:
    """Return what an execution costs: for each step its own instances times price times duration.

    Args:
        jobs: of the steps that have one.
        seconds: how long each step took earlier, by name; without any, its time limit is the upper bound.
        prices: of a region.
    """
    return RunCost(tuple(_step_cost(job, seconds.get(job.name, ()), prices) for job in jobs))


def step_seconds(sagemaker: "SageMakerClient", executions: Iterable[Execution]) -> dict[str, list[float]]:
    """Return how long each step took in the newest executions that succeeded, without reused results.

    Args:
        sagemaker: a client.
        executions: of the pipeline, the newest first.
    """
    succeeded = (execution for execution in executions if execution.status == "Succeeded")
    found: dict[str, list[float]] = defaultdict(list)
    for execution in islice(succeeded, LOOKED_AT):
        for step in take_snapshot(sagemaker, execution.arn).steps:
            if taken := busy_seconds(step):
                found[step.name].append(taken)
    return found


def busy_seconds(step: Step) -> float:
    """Return how long a step took; 0 where it still runs, or its result was reused."""
    if step.reused_from or not step.started or not step.ended:
        return 0.0
    return (step.ended - step.started).total_seconds()


def _step_cost(job: "JobSize", seconds: Sequence[float], prices: "Prices") -> StepCost:
    hour = prices.hourly_price(job.instance_type)
    taken: float | None
    if seconds:
        taken = median(seconds)
        basis = f"for {duration(taken)}, the median of the last {len(seconds)} that succeeded"
    elif job.max_runtime_seconds is not None:
        taken = job.max_runtime_seconds
        basis = f"for at most {duration(taken)}, its time limit: no execution has succeeded yet"
    else:
        taken = None
        basis = "for as long as it takes: it has no time limit, and no execution has succeeded yet"
    instances = f"{job.instance_count} x {job.instance_type}"
    if hour is None:
        return StepCost(job.name, None, f"{instances}, whose price is not known, {basis}")
    usd = None if taken is None else job.instance_count * hour * taken / 3600
    return StepCost(job.name, usd, f"{instances} at {hour:g} USD an hour {basis}")
