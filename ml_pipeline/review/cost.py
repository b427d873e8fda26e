"""Estimates the cost of an execution from dated prices and the durations of steps in earlier executions."""

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

AVERAGED_EXECUTIONS = 10
"""Number of latest successful executions whose durations are used."""


@dataclass(frozen=True)
class StepCost:
    """An estimate for a step, and how it was computed. `usd` is None if price or duration is unknown."""

    step: str
    usd: float | None
    basis: str


@dataclass(frozen=True)
class RunCost:
    """An estimate for an execution, by step."""

    steps: tuple[StepCost, ...]

    @property
    def usd(self) -> float | None:
        """The sum in USD, or None if an estimate is unknown."""
        known = [step.usd for step in self.steps if step.usd is not None]
        return sum(known) if len(known) == len(self.steps) else None


def run_cost(jobs: Iterable["JobSize"], seconds: Mapping[str, Sequence[float]], prices: "Prices") -> RunCost:
    """Return the estimated cost of an execution: for each step, instances times price times duration.

    Args:
        jobs: the instances and time limits of the steps with a job.
        seconds: earlier durations in seconds, by step name. Without any, the time limit of the step is used.
        prices: the on-demand prices of a region, in USD per hour.
    """
    return RunCost(tuple(_step_cost(job, seconds.get(job.name, ()), prices) for job in jobs))


def step_seconds(sagemaker: "SageMakerClient", executions: Iterable[Execution]) -> dict[str, list[float]]:
    """Return the durations of each step in the latest successful executions, without reused results.

    Args:
        sagemaker: a SageMaker client.
        executions: the executions of the pipeline, the latest first.

    Returns:
        Durations in seconds, by step name.
    """
    succeeded = (execution for execution in executions if execution.status == "Succeeded")
    found: dict[str, list[float]] = defaultdict(list)
    for execution in islice(succeeded, AVERAGED_EXECUTIONS):
        for step in take_snapshot(sagemaker, execution.arn).steps:
            if taken := busy_seconds(step):
                found[step.name].append(taken)
    return found


def busy_seconds(step: Step) -> float:
    """Return the duration of a step in seconds, or 0 if it is still running or its result was reused."""
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
        basis = "for an unknown time: it has no time limit, and no execution has succeeded yet"
    instances = f"{job.instance_count} x {job.instance_type}"
    if hour is None:
        return StepCost(job.name, None, f"{instances}, whose price is not known, {basis}")
    usd = None if taken is None else job.instance_count * hour * taken / 3600
    return StepCost(job.name, usd, f"{instances} at {hour:g} USD an hour {basis}")
