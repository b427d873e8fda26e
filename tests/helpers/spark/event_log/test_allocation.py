"""Requested and granted executors: real logs of versions/generate.py, and synthetic ones."""

from pathlib import Path

import pytest

from helpers.spark.event_log.allocation import Allocation, allocation_of, read_allocation
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import Profile, read
from helpers.spark.event_log.reading import EventLogError
from helpers.spark.event_log.report import report
from helpers.spark.event_log.rules.finding import Finding
from helpers.spark.event_log.summary import summary_of
from tests.helpers.spark.event_log.conftest import MIB, executor, log, removal, stage, task

LOGS = Path(__file__).with_name("not_granted")
VERSIONS = sorted(folder.name for folder in LOGS.iterdir())
KIND = "executors not granted"
ON_YARN = {"master": "yarn", "executor_instances": "30", "executor_cores": "4", "executor_memory": "12438m"}
"""The output of `make size` for 6 × ml.m5.4xlarge, except for the instances, which have room for 24."""
DYNAMIC = {
    "master": "yarn",
    "dynamicAllocation_enabled": "true",
    "executor_instances": "2",
    "dynamicAllocation_maxExecutors": "8",
}


def hosts(count: int, each: int = 4, start: float = 5.0) -> list[bytes]:
    return [executor(f"{host}-{n}", 4, start, f"host-{host}") for host in range(count) for n in range(each)]


def tasks(*, waited: float = 0.0, seconds: float = 10.0, **more: object) -> list[bytes]:
    """A stage with tasks on 4 cores, submitted at 10 s, with a late launch of the last one."""
    launches = [10.0, 10.0, 10.0, 10.0 + waited]
    ended = [task(0, launch, seconds, input=64, **more) for launch in launches]
    return [*ended, stage(0, 10.0, waited + seconds)]


def not_granted(run: Profile) -> Finding | None:
    return next((finding for finding in findings(run) if finding.kind == KIND), None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_run_on_half_of_its_executors_of_which_one_was_replaced(version: str) -> None:
    run = read(LOGS / version)

    assert len(run.executors) == 3, "one was killed, and another took its place"
    assert allocation_of(run) == Allocation(requested=4, granted=2, cores=1, memory_mib=1024)
    assert (summary_of(run).executors, summary_of(run).slots) == (2, 2)
    finding = not_granted(run)
    assert finding is not None
    assert finding.evidence.startswith(
        "2 of 4 requested executors granted, with 1 core and 1,024 MiB each: 2 of 4 cores, "
        "2,048 of 4,096 MiB; the last came "
    )
    assert ": at most 512 MiB (spark.executor.memory and overhead); " in finding.recommendation
    assert not finding.settings, "what has room is not in the log"
    assert 0 < finding.seconds <= run.run_ms / 2000 / 2


@pytest.mark.parametrize("version", VERSIONS)
def test_of_a_real_log_no_more_than_its_executors_is_needed(version: str) -> None:
    assert read_allocation(LOGS / version) == allocation_of(read(LOGS / version))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"executor_instances": "24"}, Allocation(24, 24, 4, 13_681)),
        ({"executor_instances": "30", "dynamicAllocation_enabled": "true"}, None),
        ({"executor_instances": "0"}, None),
    ],
)
def test_a_log_is_read_until_all_executors_are_there_or_none_is_asked_for(
    tmp_path: Path, properties, expected
) -> None:
    damaged = [*log(*hosts(6), **ON_YARN | properties)[:-1], b"damaged\n", b"\n"]
    (tmp_path / "app-1").write_bytes(b"".join(damaged))

    assert read_allocation(tmp_path / "app-1") == expected


def test_a_log_is_read_to_its_end_while_executors_are_missing(tmp_path: Path) -> None:
    damaged = [*log(*hosts(6), **ON_YARN)[:-1], b"damaged\n", b"\n"]
    (tmp_path / "app-1").write_bytes(b"".join(damaged))

    with pytest.raises(EventLogError, match="damaged in line 28"):
        read_allocation(tmp_path / "app-1")


def test_the_headline_has_both_numbers(run_of) -> None:
    run = run_of(*hosts(6), *tasks(), seconds=60, **ON_YARN)

    assert report(run, findings(run)).splitlines()[:2] == [
        "app-1: 60.0 s on 96 cores of 24 executors, Spark 3.5.9",
        "24 of 30 requested executors granted, with 4 cores and 13,681 MiB each: 96 of 120 cores, "
        "328,344 of 410,430 MiB",
    ]


def test_the_headline_of_a_run_with_all_of_its_executors(run_of) -> None:
    run = run_of(*hosts(6), **{**ON_YARN, "executor_instances": "24"})

    assert report(run, []).splitlines()[1] == (
        "24 of 24 requested executors granted, with 4 cores and 13,681 MiB each"
    )


def test_yarn_without_room_for_all(run_of) -> None:
    finding = not_granted(run_of(*hosts(6), *tasks(), seconds=60, **ON_YARN))

    assert finding is not None
    assert finding.evidence.endswith("; the last came 5.0 s after the start, the run went on for 55.0 s")
    assert finding.recommendation == (
        "more instances, or executors of which all have room: at most 10,944 MiB (spark.executor.memory and "
        "overhead) and, where vCPU are short, 3 cores (spark.executor.cores); otherwise ask for 24 "
        "(spark.executor.instances)"
    )
    assert finding.impact == "up to 0.1 s with 24 cores more"
    assert finding.seconds == pytest.approx(40 / 96 - 40 / 120)


def test_executors_of_the_proposed_size_have_room_on_the_host_that_held_the_fewest(run_of) -> None:
    """The application master uses the room of one."""
    executors = [*hosts(2), *(executor(f"9-{n}", 4, 5.0, "host-9") for n in range(3))]

    finding = not_granted(run_of(*executors, *tasks(), **{**ON_YARN, "executor_instances": "12"}))

    assert finding is not None
    assert f"at most {3 * 13_681 // 4:,} MiB" in finding.recommendation, "four on each of three hosts"


@pytest.mark.parametrize(
    "properties",
    [
        {"executor_instances": "24"},
        {"executor_instances": "20"},
        {"executor_instances": "30", "dynamicAllocation_enabled": "true"},
        {},
    ],
)
def test_executors_that_all_came_or_whose_number_nobody_asked_for(run_of, properties) -> None:
    assert not_granted(run_of(*hosts(6), *tasks(), master="yarn", **properties)) is None


def test_local_has_no_executors_whatever_is_asked_for(run_of) -> None:
    run = run_of(executor("driver"), *tasks(), master="local[4]", executor_instances="8")

    assert allocation_of(run) is None
    assert not_granted(run) is None


def test_executors_that_replace_lost_ones_do_not_count_twice(run_of) -> None:
    """Even if the replacement is added in the millisecond of the removal."""
    replaced = [removal("0-0", 12.0, "exit code 137"), executor("next", 4, 12.0, "host-0")]
    run = run_of(*hosts(6), *replaced, *tasks(), **ON_YARN)

    assert len(run.executors) == 25
    assert allocation_of(run).granted == 24
    assert run.cores == 96


@pytest.mark.parametrize(("seconds", "expected"), [(59.0, False), (61.0, True)])
def test_an_application_without_any_executor_is_a_finding_when_none_can_be_on_its_way(
    run_of, seconds, expected
) -> None:
    run = run_of(seconds=seconds, **ON_YARN)

    finding = not_granted(run)
    assert "0 of 30 requested executors granted, with 4 cores" in report(run, [])
    assert bool(finding) is expected
    if finding is not None:
        assert finding.evidence.endswith(", in 61.0 s")
        assert finding.seconds == seconds


def test_a_log_that_has_lost_its_executors_is_not_judged(run_of) -> None:
    assert not_granted(run_of(*tasks(), seconds=100, **ON_YARN)) is None


@pytest.mark.parametrize(
    ("properties", "memory_mib"),
    [
        ({}, 1024 + 384),
        ({"executor_memory": "10g"}, 10240 + 1024),
        ({"executor_memory": "10g", "executor_memoryOverheadFactor": "0.2"}, 10240 + 2048),
        ({"executor_memory": "10g", "executor_memoryOverhead": "3g"}, 10240 + 3072),
        ({"executor_minMemoryOverhead": "500m"}, 1024 + 500),
        ({"executor_pyspark_memory": "512"}, 1024 + 384 + 512),
        ({"memory_offHeap_size": str(100 * MIB)}, 1024 + 384),
        ({"memory_offHeap_size": str(100 * MIB), "memory_offHeap_enabled": "true"}, 1024 + 384 + 100),
        ({"master": "local-cluster[2,1,1024]", "executor_memoryOverhead": "3g"}, 1024),
    ],
)
def test_memory_is_all_that_yarn_is_asked_for(run_of, properties, memory_mib) -> None:
    run = run_of(executor(), **{"master": "yarn", "executor_instances": "1"} | properties)

    assert allocation_of(run).memory_mib == memory_mib


@pytest.mark.parametrize(
    ("properties", "waited", "expected"),
    [
        ({}, 35.0, True),
        ({}, 33.0, False),  # 1 s, three doublings of a second, and 30 s until an executor starts
        ({"dynamicAllocation_schedulerBacklogTimeout": "10s"}, 35.0, False),
        ({"dynamicAllocation_sustainedSchedulerBacklogTimeout": "5s"}, 35.0, False),
        ({"dynamicAllocation_maxExecutors": "4"}, 100.0, False),
        ({"dynamicAllocation_enabled": "false"}, 100.0, False),
        ({"dynamicAllocation_maxExecutors": "infinity"}, 100.0, False),
        ({"dynamicAllocation_maxExecutors": "2147483647"}, 100.0, False),
    ],
)
def test_dynamic_allocation_that_does_not_reach_its_maximum_while_tasks_wait(
    run_of, properties, waited, expected
) -> None:
    finding = not_granted(run_of(*hosts(1), *tasks(waited=waited), seconds=200, **DYNAMIC | properties))

    assert bool(finding) is expected
    if finding is not None:
        assert finding.evidence == (
            "4 at most of the 8 that dynamic allocation may take, while tasks waited for up to 35.0 s"
        )
        assert finding.seconds == pytest.approx(40 / 16 - 40 / 32)
        assert finding.stage == 0


@pytest.mark.parametrize("executors", [[executor("driver")], []])
def test_without_executors_in_the_log_dynamic_allocation_is_not_judged(run_of, executors) -> None:
    """With `local` there are none, and a log that Spark has compacted may lack them."""
    assert not_granted(run_of(*executors, *tasks(waited=100.0), seconds=200, **DYNAMIC)) is None


@pytest.mark.parametrize(
    "late", [{"speculative": True}, {"reason": "ExceptionFailure", "error": {"Description": "no"}}]
)
def test_copies_and_repeated_tasks_did_not_wait_for_executors(run_of, late) -> None:
    first = [task(0, 10.0, 10.0, input=64) for _ in range(4)]

    run = run_of(*hosts(1), *first, task(0, 90.0, 5.0, **late), stage(0, 10.0, 90.0), seconds=200, **DYNAMIC)

    assert not_granted(run) is None
