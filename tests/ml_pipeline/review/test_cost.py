from datetime import UTC, date, datetime

import pytest

from helpers.pricing import InstanceHours, Prices
from ml_pipeline.executions.executions import Step
from ml_pipeline.params import PipelineParams
from ml_pipeline.review.cost import busy_seconds, run_cost

PRICES = Prices(
    region="us-east-1",
    instance_hours=(
        InstanceHours(as_of=date(2026, 11, 24), source="", usd={"ml.m5.xlarge": 0.5, "ml.m5.large": 0.25}),
    ),
    resources={},
)


def with_instances(parameters: PipelineParams, count: int, kind: str) -> PipelineParams:
    return parameters.model_copy(
        update={"pyspark_process_instance_count": count, "pyspark_process_instance_type": kind}
    )


def test_earlier_executions_say_how_long_one_takes(parameters: PipelineParams) -> None:
    cost = run_cost(with_instances(parameters, 3, "ml.m5.xlarge"), [600, 7200, 3600], PRICES)

    assert cost.usd == pytest.approx(3 * 0.5)
    assert cost.basis == (
        "3 x ml.m5.xlarge at 0.5 USD an hour for 1 h 00 min, the median of the last 3 that succeeded"
    )


def test_without_any_the_time_limit_is_the_upper_bound(parameters: PipelineParams) -> None:
    cost = run_cost(with_instances(parameters, 2, "ml.m5.large"), [], PRICES)

    assert cost.usd == pytest.approx(2 * 0.25 * parameters.pyspark_process_max_runtime_seconds / 3600)
    assert "at most 30 min 00 s, the job's time limit" in cost.basis


def test_steps_from_the_cache_and_steps_that_still_run_took_no_time() -> None:
    start, end = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 12, 1, tzinfo=UTC)

    steps = [
        Step("a", "Succeeded", start, end),
        Step("b", "Succeeded", start, end),
        Step("c", "Succeeded", start, end, reused_from="arn"),
        Step("d", "Executing", start),
    ]

    assert busy_seconds(steps) == 120
    assert busy_seconds(steps[2:]) == 0


def test_an_unknown_price_is_no_price(parameters: PipelineParams) -> None:
    cost = run_cost(with_instances(parameters, 2, "ml.p3.2xlarge"), [60], PRICES)

    assert cost.usd is None
    assert "2 x ml.p3.2xlarge, whose price is not known" in cost.basis
