"""What an execution costs: an estimate from dated prices and from how long earlier ones took."""

from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from ml_pipeline.executions.executions import Execution, Step, take_snapshot
from ml_pipeline.executions.progress import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from types_boto3_sagemaker import SageMakerClient

    from helpers.pricing import Prices
    from ml_pipeline.params import PipelineParams

LOOKED_AT = 10
"""How many of the newest executions that succeeded say how long one takes."""


@dataclass(frozen=True)
class RunCost:
    """An estimate, in USD; None where the price of the instance is not known."""

    usd: float | None
    basis: str


def run_cost(params: "PipelineParams", seconds: "Sequence[float]", prices: "Prices") -> RunCost:
    """Return what an execution costs: instances times price times duration.

    Args:
        params: the parameters of the pipeline.
        seconds: how long earlier executions took; without any, the job's time limit is the upper bound.
        prices: of a region.
    """
    count, kind = params.pyspark_process_instance_count, params.pyspark_process_instance_type
    hour = prices.hourly_price(kind)
    if seconds:
        taken = median(seconds)
        basis = f"{duration(taken)}, the median of the last {len(seconds)} that succeeded"
    else:
        taken = params.pyspark_process_max_runtime_seconds
        basis = f"at most {duration(taken)}, the job's time limit: no execution has succeeded yet"
    instances = f"{count} x {kind}"
    if hour is None:
        return RunCost(None, f"{instances}, whose price is not known, for {basis}")
    return RunCost(count * hour * taken / 3600, f"{instances} at {hour:g} USD an hour for {basis}")


def run_seconds(sagemaker: "SageMakerClient", executions: "Iterable[Execution]") -> list[float]:
    """Return how long the steps of the newest executions that succeeded took, without those from the cache.

    Args:
        sagemaker: a client.
        executions: of the pipeline, the newest first.
    """
    succeeded = (execution for execution in executions if execution.status == "Succeeded")
    newest = islice(succeeded, LOOKED_AT)
    taken = [busy_seconds(take_snapshot(sagemaker, execution.arn).steps) for execution in newest]
    return [seconds for seconds in taken if seconds]


def busy_seconds(steps: "Iterable[Step]") -> float:
    """Return how long steps took together, without those whose result the cache gave."""
    return sum(
        (step.ended - step.started).total_seconds()
        for step in steps
        if step.started and step.ended and not step.reused_from
    )
