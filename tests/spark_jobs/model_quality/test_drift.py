"""Distances from a baseline, compared with SciPy."""

import json
import math

import numpy as np
import polars as pl
import pytest
from etl.errors import JobError
from model_quality.columns import Column
from model_quality.drift import (
    Limits,
    drift_report,
    drifts,
    kolmogorov_smirnov,
    ks_by_chance,
    psi,
    psi_by_chance,
)
from model_quality.statistics import read_statistics, statistics_json, statistics_of
from scipy import stats

COLUMNS = (Column("size"), Column("kind", ("a", "b")))
LIMITS = Limits(psi=0.25, ks=0.2, missing=0.05)


def rows(size: list[float | None], kind: list[str | None] | None = None) -> pl.DataFrame:
    kinds = kind or ["a", "b"] * (len(size) // 2)
    return pl.DataFrame({"size": size, "kind": kinds}, schema={"size": pl.Float64, "kind": pl.String})


def measured(baseline: pl.DataFrame, now: pl.DataFrame, limits: Limits = LIMITS):
    text = statistics_json(statistics_of(baseline, COLUMNS), COLUMNS)
    found = drifts(read_statistics(text, "statistics.json"), statistics_of(now, COLUMNS), limits)
    return {each.name: each for each in found}


def sample(seed: int, rows: int, mean: float = 0.0) -> list[float]:
    return np.random.default_rng(seed).normal(mean, 1, rows).tolist()


def test_psi_is_jeffreys_divergence() -> None:
    expected, actual = [30, 50, 20], [20, 30, 50]

    before, now = np.array(expected) / 100, np.array(actual) / 100
    assert psi(expected, actual) == pytest.approx(stats.entropy(now, before) + stats.entropy(before, now))
    assert psi(expected, [3 * count for count in expected]) == 0


def test_an_empty_bucket_makes_psi_large_and_not_infinite() -> None:
    assert psi([50, 50], [100, 0]) == pytest.approx(0.5 * math.log(2) + (0.005 - 0.5) * math.log(0.01))
    assert psi([100, 0], [100, 0]) == 0


def test_the_distance_is_that_of_kolmogorov_and_smirnov_where_each_value_is_a_bucket() -> None:
    random = np.random.default_rng(1)
    before, now = random.integers(0, 8, 500), random.integers(0, 9, 400)

    found = kolmogorov_smirnov(
        np.bincount(before, minlength=9).tolist(), np.bincount(now, minlength=9).tolist()
    )

    assert found == pytest.approx(stats.ks_2samp(before, now).statistic)


def test_of_buckets_it_is_at_most_the_share_of_one_less() -> None:
    before, now = sample(1, 5_000), sample(2, 5_000, mean=0.5)

    found = measured(rows(before), rows(now))["size"].ks

    exact = stats.ks_2samp(before, now).statistic
    assert exact - 0.11 <= found <= exact


@pytest.mark.parametrize("buckets", [2, 3, 10, 40])
def test_psi_by_chance_is_a_quantile_of_chi_square(buckets) -> None:
    expected = stats.chi2.isf(1e-3, buckets - 1) * (1 / 500 + 1 / 2_000)

    assert psi_by_chance(buckets, 500, 2_000) == pytest.approx(expected, rel=0.04)


def test_ks_by_chance_is_a_quantile_of_the_distribution_of_kolmogorov() -> None:
    expected = stats.kstwobign.isf(1e-3) * math.sqrt(1 / 500 + 1 / 2_000)

    assert ks_by_chance(500, 2_000) == pytest.approx(expected, rel=1e-3)


def test_rows_like_the_baseline_do_not_drift_however_few_they_are() -> None:
    baseline = rows(sample(1, 3_000))

    for count in (10, 50, 500, 3_000):
        for seed in range(2, 22):
            found = measured(baseline, rows(sample(seed, count)))
            assert [list(each.exceeded()) for each in found.values()] == [[], []], (count, seed)


def test_a_shift_is_drift_of_that_column_alone_and_is_reported_with_its_figures() -> None:
    found = measured(rows(sample(1, 3_000)), rows(sample(2, 200, mean=1.0)))

    (of_psi, of_ks) = found["size"].exceeded()
    assert of_psi.startswith(f"size: PSI {found['size'].psi:.3f} is above 0.250")
    assert of_ks.startswith(f"size: Kolmogorov-Smirnov distance {found['size'].ks:.3f} is above 0.200")
    assert not list(found["kind"].exceeded())


def test_values_beyond_those_of_the_baseline_count_to_its_outer_buckets() -> None:
    found = measured(rows([1.0, 2.0] * 50), rows([1e9] * 100))

    assert found["size"].ks == pytest.approx(0.5)


def test_other_shares_of_texts_are_drift() -> None:
    baseline = rows([0.0] * 100, ["a"] * 50 + ["b"] * 50)

    found = measured(baseline, rows([0.0] * 100, ["a"] * 99 + ["b"]))

    assert found["kind"].psi == pytest.approx(0.49 * math.log(99), rel=1e-6)
    assert found["kind"].ks is None
    assert [each.partition(" is above")[0] for each in found["kind"].exceeded()] == ["kind: PSI 2.252"]


def test_more_missing_values_are_drift() -> None:
    baseline, now = rows([1.0] * 98 + [None] * 2), rows([1.0] * 90 + [None] * 10)

    found = measured(baseline, now)

    assert list(found["size"].exceeded()) == [
        "size: 10.0% of the values are missing, 2.0% in the baseline; the share may rise by 5.0%"
    ]
    assert not list(measured(baseline, now, LIMITS._replace(missing=0.08 + 1e-9))["size"].exceeded())


def test_a_column_without_values_is_drift_by_what_is_missing() -> None:
    found = measured(rows([1.0, 2.0] * 10), rows([None] * 20))

    assert len(list(found["size"].exceeded())) == 1
    assert measured(rows([None] * 20), rows([None] * 20))["size"].psi == 0


def test_the_report_is_json_with_limits_and_figures() -> None:
    found = list(measured(rows(sample(1, 100)), rows(sample(2, 100, mean=3.0))).values())

    report = json.loads(json.dumps(drift_report(100, LIMITS, found), allow_nan=False))

    assert (report["rows"], report["drifted"]) == (100, True)
    assert report["limits"] == {"psi": 0.25, "ks": 0.2, "missing": 0.05}
    assert [each["name"] for each in report["columns"] if each["exceeded"]] == ["size"]


@pytest.mark.parametrize(
    ("limits", "option"),
    [(Limits(psi, 0.2, 0.05), "--max_psi") for psi in (math.nan, math.inf, 0.0, -1.0)]
    + [(Limits(0.25, ks, 0.05), "--max_ks") for ks in (math.nan, 0.0, -0.1, 1.1)]
    + [(Limits(0.25, 0.2, missing), "--max_missing") for missing in (math.nan, -0.1, 1.1)],
)
def test_limits_that_no_drift_or_any_rows_exceed_are_rejected(limits, option) -> None:
    with pytest.raises(JobError, match=rf"{option} .*: expected a "):
        limits.check()


@pytest.mark.parametrize("count", [math.nan, math.inf, -1, 0])
def test_a_baseline_without_usable_counts_is_rejected(count) -> None:
    statistics = json.loads(statistics_json(statistics_of(rows([1.0, 2.0]), COLUMNS), COLUMNS))
    for bucket in statistics["features"][0]["numerical_statistics"]["distribution"]["kll"]["buckets"]:
        bucket["count"] = count

    with pytest.raises(
        JobError, match=r"statistics\.json has no statistics in the schema .*counts of 2 values"
    ):
        read_statistics(json.dumps(statistics), "statistics.json")
