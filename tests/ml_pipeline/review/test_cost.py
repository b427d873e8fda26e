from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pricing import InstanceHours, Prices
from ml_pipeline.executions.executions import Execution, Snapshot, Step
from ml_pipeline.params.model import JobSize
from ml_pipeline.review import cost as costs
from ml_pipeline.review.cost import RunCost, StepCost, busy_seconds, run_cost, step_seconds

PRICES = Prices(
    region="eu-north-1",
    instance_hours=(
        InstanceHours(as_of=date(2026, 11, 24), source="", usd={"ml.m5.xlarge": 0.5, "ml.m5.large": 0.25}),
    ),
    resources={},
)
START, END = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 12, 1, tzinfo=UTC)


def job(count: int, kind: str, name: str = "clean", seconds: int | None = 3600) -> JobSize:
    return JobSize(name, kind, count, seconds)


def test_earlier_executions_show_how_long_a_step_takes() -> None:
    cost = run_cost([job(3, "ml.m5.xlarge")], {"clean": [600, 7200, 3600]}, PRICES)

    assert cost.usd == pytest.approx(3 * 0.5)
    assert cost.steps[0].basis == (
        "3 x ml.m5.xlarge at 0.5 USD an hour for 1 h 00 min, the median of the last 3 that succeeded"
    )


def test_without_any_the_time_limit_is_the_upper_bound() -> None:
    limited = job(2, "ml.m5.large", seconds=1800)

    cost = run_cost([limited], {}, PRICES)

    assert cost.usd == pytest.approx(2 * 0.25 * 1800 / 3600)
    assert "at most 30 min 00 s, its time limit" in cost.steps[0].basis


def test_a_job_without_a_time_limit_has_no_upper_bound() -> None:
    transform = job(1, "ml.m5.xlarge", "score", seconds=None)

    before, after = run_cost([transform], {}, PRICES), run_cost([transform], {"score": [7200]}, PRICES)

    assert before.usd is None
    assert before.steps[0].basis == (
        "1 x ml.m5.xlarge at 0.5 USD an hour for an unknown time: it has no time limit, and no execution "
        "has succeeded yet"
    )
    assert after.usd == pytest.approx(1.0)


def test_each_step_costs_its_own_instances_for_its_own_time() -> None:
    steps = [job(2, "ml.m5.large"), job(1, "ml.m5.xlarge", "join")]

    cost = run_cost(steps, {"clean": [3600], "join": [7200]}, PRICES)

    assert [(step.step, step.usd) for step in cost.steps] == [("clean", 0.5), ("join", 1.0)]
    assert cost.usd == pytest.approx(1.5)


def test_steps_from_the_cache_and_steps_that_still_run_took_no_time() -> None:
    assert busy_seconds(Step("a", "Succeeded", START, END)) == 60
    assert busy_seconds(Step("a", "Succeeded", START, END, reused_from="arn")) == 0
    assert busy_seconds(Step("a", "Executing", START)) == 0


def test_the_newest_executions_that_succeeded_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def snapshot(_: Any, arn: str) -> Snapshot:
        read.append(arn)
        again = Step("join", "Succeeded", START, END, reused_from="arn" if arn == "0" else "")
        return Snapshot(arn, "Succeeded", steps=(Step("clean", "Succeeded", START, END), again))

    monkeypatch.setattr(costs, "take_snapshot", snapshot)
    executions = [Execution("failed", "Failed", START)]
    executions += [
        Execution(str(number), "Succeeded", START) for number in range(costs.AVERAGED_EXECUTIONS + 3)
    ]

    seconds = step_seconds(SimpleNamespace(), executions)  # type: ignore[arg-type]  # receives no requests

    assert read == [str(number) for number in range(costs.AVERAGED_EXECUTIONS)]
    assert seconds == {
        "clean": [60.0] * costs.AVERAGED_EXECUTIONS,
        "join": [60.0] * (costs.AVERAGED_EXECUTIONS - 1),
    }


def test_an_unknown_price_is_not_a_price() -> None:
    steps = [job(2, "ml.p3.2xlarge"), job(1, "ml.m5.large", "join")]

    cost = run_cost(steps, {"clean": [60]}, PRICES)

    assert cost.usd is None
    assert cost.steps[0].usd is None
    assert cost.steps[1].usd is not None
    assert "2 x ml.p3.2xlarge, whose price is not known" in cost.steps[0].basis


def test_nothing_to_run_costs_nothing() -> None:
    assert RunCost(()).usd == 0
    assert RunCost((StepCost("a", 1.0, ""), StepCost("b", None, ""))).usd is None
