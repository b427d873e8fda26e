import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.spark.choice.model import PRIOR, SPLIT_BYTES, bytes_of, fit, why_unusable
from helpers.spark.event_log.summary import RunSummary

GB = 10**9


def run(seconds: float, gigabytes: float, slots: int, driver: float = 10.0, **others) -> RunSummary:
    figures = {
        "application_id": "local-1",
        "seconds": seconds,
        "slots": slots,
        "executors": 1,
        "task_seconds": (seconds - driver) * slots,
        "input_bytes": int(gigabytes * GB),
        "output_bytes": 0,
        "shuffle_bytes": 0,
        "driver_seconds": driver,
    }
    return RunSummary(**{**figures, **others})


runs = st.lists(
    st.builds(
        run,
        st.floats(11, 10_000),
        st.floats(0.01, 1000),
        st.integers(1, 500),
        st.floats(0, 10),
    ),
    max_size=12,
)
sizes = st.integers(1, 10**14)
slots = st.integers(1, 5000)


@given(runs, sizes, slots, slots)
def test_more_cores_are_never_slower(known, data, one, other) -> None:
    model = fit(known)
    few, many = sorted((one, other))
    assert model.seconds(data, many).value <= model.seconds(data, few).value * (1 + 1e-9)


@given(runs, sizes, sizes, slots)
def test_more_data_is_never_faster(known, one, other, cores) -> None:
    """For at least one split per core: below, Spark starts fewer tasks, each larger than a fraction."""
    less, more = (data + cores * SPLIT_BYTES for data in sorted((one, other)))
    model = fit(known)
    assert model.seconds(less, cores).value <= model.seconds(more, cores).value * (1 + 1e-9)


@given(runs, sizes, slots)
def test_an_estimate_lies_between_its_bounds_and_above_nothing(known, data, cores) -> None:
    seconds = fit(known).seconds(data, cores)
    assert 0 <= seconds.low <= seconds.value <= seconds.high


def test_a_law_without_noise_is_found() -> None:
    known = [run(20 + 50 * gb / cores, gb, cores) for gb in (1, 4, 16, 64) for cores in (2, 4, 8)]
    model = fit(known)
    assert model.fixed_seconds == pytest.approx(20)
    assert model.core_seconds_per_gb == pytest.approx(50)
    assert model.basis.startswith("Fitted from 12 runs, which it misses by 0.0 s")
    seconds = model.seconds(1000 * GB, 100)
    assert seconds.value == pytest.approx(520)
    assert seconds.high - seconds.low < 0.01


def test_noise_widens_the_bounds_and_distance_widens_them_more() -> None:
    noise = (3, -4, 2, -1, -3, 4, 1, -2)
    places = [(gb, cores) for gb in (4, 8, 16, 32) for cores in (2, 4)]
    model = fit(
        [run(20 + 50 * gb / cores + n, gb, cores) for (gb, cores), n in zip(places, noise, strict=True)]
    )
    near, far = model.seconds(16 * GB, 4), model.seconds(1000 * GB, 4)
    assert near.low <= 220 <= near.high
    assert 8 < near.high - near.low < 40
    assert far.high - far.low > 3 * (near.high - near.low)


def test_the_parts_of_a_time_are_never_negative() -> None:
    """Measured times can fall while data grows; without a limit, the estimate could be negative."""
    model = fit([run(100, 1, 1), run(60, 10, 1), run(20, 100, 1), run(18, 200, 1)])
    assert model.fixed_seconds >= 0
    assert model.core_seconds_per_gb >= 0


def test_without_runs_it_is_reported_to_be_a_guess() -> None:
    assert fit([]) is PRIOR
    seconds = PRIOR.seconds(500 * GB, 96)
    assert seconds.high == 3 * seconds.value == pytest.approx(9 * seconds.low)
    assert "No run shows this job's speed: a guess" in PRIOR.basis


@pytest.mark.parametrize("known", [[run(110, 10, 4)], [run(110, 10, 4)] * 5])
def test_one_run_and_similar_runs_are_reported_as_insufficient(known) -> None:
    model = fit(known)
    assert (model.fixed_seconds, model.core_seconds_per_gb) == (10, pytest.approx(40))
    assert "good to a factor of 2 at most" in model.basis
    seconds = model.seconds(10 * GB, 4)
    assert (seconds.low, seconds.value, seconds.high) == (55, 110, 220)


def test_cores_without_a_split_do_not_help() -> None:
    assert PRIOR.seconds(SPLIT_BYTES * 4, 4) == PRIOR.seconds(SPLIT_BYTES * 4, 400)


def test_the_data_counts_once_however_often_it_is_read() -> None:
    """A job that caches its data reads it three times; estimates use the size of its files."""
    reread = [run(20 + 50 * gb / 4, 3 * gb, 4, scanned_bytes=gb * GB) for gb in (1, 4, 16)]
    assert fit(reread).core_seconds_per_gb == pytest.approx(50)
    assert fit(reread).most_bytes == 16 * GB


def test_runs_without_information_are_reported_as_such() -> None:
    assert why_unusable(run(110, 10, 4)) is None
    assert why_unusable(run(110, 10, 4, complete=False)) == "the log has no end"
    assert why_unusable(run(110, 0.0168, 4)) is None
    few = "0.2 MB for 2 cores are too little to separate start from work; 4 MB a core are the least"
    assert why_unusable(run(30, 0.0002, 2)) == few
    assert "0.0 MB for 0 cores" in why_unusable(run(110, 0, 0))


def test_real_runs_lie_within_the_bounds_that_the_others_give() -> None:
    """Ten runs of the project's job on 1 and 2 cores of a shared machine; one may lie outside."""
    recorded = json.loads(Path(__file__).with_name("runs.json").read_text())
    known = [RunSummary(**figures) for figures in recorded]
    outside = 0
    for index, left_out in enumerate(known):
        seconds = fit(known[:index] + known[index + 1 :]).seconds(bytes_of(left_out), left_out.slots)
        outside += not seconds.low <= left_out.seconds <= seconds.high
    assert outside <= 1
