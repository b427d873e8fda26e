from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.pricing import InstanceHours, Prices, load_prices
from helpers.spark.choice.model import PRIOR, Model
from helpers.spark.choice.ranking import BOOT, WAIT, Candidate, Meets, candidates, ranked
from helpers.spark.instances import instances

GB = 10**9
SURE = Model(20.0, 50.0, "known", 1.0)
PRICES = load_prices()


def found(
    model: Model = SURE, gigabytes: float = 500, prices: Prices = PRICES, most: int = 20
) -> list[Candidate]:
    return list(candidates(model, int(gigabytes * GB), prices, instances().values(), most))


def test_a_cluster_costs_its_time_but_not_its_wait() -> None:
    cluster = next(c for c in found() if (c.instance.name, c.count) == ("ml.m5.4xlarge", 6))
    spark = 20 + 50 * 500 / 96
    assert cluster.slots == 96
    assert cluster.elapsed.value == pytest.approx(WAIT.value + BOOT.value + spark)
    assert cluster.usd.value == pytest.approx(6 * 0.922 * (BOOT.value + spark) / 3600)


def test_only_what_has_a_price_a_size_and_lasting_cores_is_a_candidate() -> None:
    names = {cluster.instance.name for cluster in found()}
    assert names <= PRICES.instance_types
    assert not any(name.startswith("ml.t3") for name in names)
    assert "ml.m5.xlarge" in names
    hours = InstanceHours(as_of=date(2026, 1, 1), source="test", usd={"ml.p3.2xlarge": 1.0})
    assert found(prices=Prices(region="r", instance_hours=(hours,), resources={})) == []


def test_those_in_time_come_first_and_the_cheapest_of_them_leads() -> None:
    every = found()
    best = ranked(every, 20 * 60)
    answers = [cluster.meets(20 * 60) for cluster in best]
    assert answers == sorted(answers, key=list(Meets).index)
    certain = [cluster for cluster in every if cluster.meets(20 * 60) is Meets.CERTAIN]
    assert best[0].usd.value == min(cluster.usd.value for cluster in certain)
    assert len({cluster.instance.name for cluster in best}) == len(best)


def test_when_none_is_in_time_the_fastest_leads() -> None:
    every = found(gigabytes=50_000, most=2)
    best = ranked(every, 600)
    assert {cluster.meets(600) for cluster in best} == {Meets.NO}
    assert best[0].elapsed.value == min(cluster.elapsed.value for cluster in every)


def test_an_unsure_model_asks_for_more_instances() -> None:
    def count(model: Model) -> int:
        best = ranked(found(model), 45 * 60)
        return next(c.count for c in best if c.instance.name == "ml.m5.xlarge")

    assert count(PRIOR) > count(Model(PRIOR.fixed_seconds, PRIOR.core_seconds_per_gb, "known", 1.1))


@given(st.floats(1, 2000), st.floats(1, 2000))
def test_a_longer_deadline_never_costs_more(one, other) -> None:
    short, long = sorted((one * 60, other * 60))
    tight, loose = ranked(EVERY, short)[0], ranked(EVERY, long)[0]
    if tight.meets(short) is Meets.CERTAIN:
        assert loose.usd.value <= tight.usd.value


EVERY = found(PRIOR)
