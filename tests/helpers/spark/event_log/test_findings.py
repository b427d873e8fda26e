"""Findings of crafted runs, at the edges of the rules; see test_real_run.py for those of a real one."""

import pytest

from helpers.spark.event_log.configuration import settings_of
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.rules.finding import Finding
from tests.helpers.spark.event_log.conftest import MIB, event, executor, removal, stage, task

SQL = "org.apache.spark.sql.execution.ui.SparkListener"


def found(run) -> dict[str, object]:
    return {finding.kind: finding for finding in findings(run)}


def test_an_even_run_has_none(run_of) -> None:
    tasks = [task(0, start, 1.0, input=64) for start in range(9) for _ in range(4)]

    assert findings(run_of(executor(), *tasks, stage(0, 0, 9), seconds=9.5)) == []


@pytest.mark.parametrize(("longest", "expected"), [(2.9, False), (4.5, True)])
def test_skew_begins_at_three_times_the_median(run_of, longest, expected) -> None:
    tasks = [task(0, 0, 1.0, input=64) for _ in range(8)]

    run = run_of(executor(cores=16), *tasks, task(0, 0, longest, input=64), stage(0, 0, longest), seconds=5)

    assert ("skew" in found(run)) is expected


@pytest.mark.parametrize(("output", "settings"), [(0, {"spark.speculation": "true"}), (9, {})])
def test_a_task_that_is_slow_with_as_much_data_is_copied_unless_it_writes(run_of, output, settings) -> None:
    tasks = [task(0, 0, seconds, shuffled=64, output=output) for seconds in [1.0] * 8 + [6.0]]

    skew = found(run_of(executor(cores=16), *tasks, seconds=7))["skew"]

    assert "the same amount of data" in skew.change
    assert skew.settings == settings


def test_peaks_of_the_driver_are_none_of_the_executors(run_of) -> None:
    def peak(name: str, heap: int) -> bytes:
        metrics = {"Executor ID": name, "Executor Metrics": {"JVMHeapMemory": heap * MIB}}
        return event("SparkListenerStageExecutorMetrics", **metrics)

    tasks = [task(0, 0, 9.0, input=64, heap=0) for _ in range(4)]

    run = run_of(executor(), *tasks, peak("driver", 900), peak("1", 200), executor_memory="1g")

    assert found(run)["memory unused"].evidence == "heap up to 209.7 MB of 1.1 GB (20%)"


def test_one_large_file_in_a_scan_is_mended_in_the_data(run_of) -> None:
    tasks = [task(0, 0, 1.0, input=10) for _ in range(8)]

    skew = found(run_of(executor(cores=16), *tasks, task(0, 0, 60.0, input=900), seconds=61))["skew"]

    assert "cannot be split" in skew.change
    assert not skew.settings


@pytest.mark.parametrize(
    ("cores", "settings"),
    [("4", {"spark.executor.cores": "3"}), ("1", {"spark.executor.memory": "1280m"})],
)
def test_garbage_collection_above_a_tenth(run_of, cores, settings) -> None:
    tasks = [task(0, 0, 10.0, gc=gc, input=64) for gc in (2, 3, 2, 3)]

    run = run_of(executor(), *tasks, executor_cores=cores)

    gc = found(run)["garbage collection"]
    assert gc.evidence == "25% of the tasks' time (10.0 s of 40.0 s)"
    assert gc.settings == settings


def test_cores_that_wait_for_one_task_of_much_data(run_of) -> None:
    run = run_of(executor(cores=8), task(0, 0, 9.0, input=400), stage(0, 0, 9.0))

    idle = found(run)["idle cores"]

    assert idle.evidence == "while tasks ran, 12% of the 8 cores worked; stage 0 has 1 task for 8 cores"
    assert idle.settings == {"spark.sql.files.maxPartitionBytes": "25m"}, "16 tasks"


def test_cores_that_wait_for_one_task_of_hardly_any_data(run_of) -> None:
    idle = found(run_of(executor(cores=8), task(0, 0, 9.0, input=1), stage(0, 0, 9.0)))["idle cores"]

    assert "fewer or smaller instances" in idle.change
    assert not idle.settings


def test_very_many_very_short_tasks(run_of) -> None:
    tasks = [task(0, number / 100, 0.02, shuffled=0.1) for number in range(400)]

    small = found(run_of(executor(), *tasks, stage(0, 0, 5), sql_adaptive_enabled="false"))[
        "small partitions"
    ]

    assert small.settings == {"spark.sql.shuffle.partitions": "8"}


def test_few_tasks_of_very_much_data(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=1024) for _ in range(4)]

    large = found(run_of(executor(), *tasks, stage(0, 0, 9)))["large partitions"]

    assert large.settings == {"spark.sql.files.maxPartitionBytes": "128m"}


def test_a_task_that_runs_out_of_memory_gets_less_data(run_of) -> None:
    error = {"Class Name": "java.lang.OutOfMemoryError", "Description": "Java heap space"}
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    failed = found(run_of(executor(), *tasks, task(0, 0, 1.0, "ExceptionFailure", error=error)))

    assert failed["failed tasks"].settings == {"spark.sql.files.maxPartitionBytes": "26m"}, "of 256 in 10"
    assert "OutOfMemoryError: Java heap space" in failed["failed tasks"].evidence


def test_copies_of_tasks(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]
    killed = task(0, 0, 9.0, "TaskKilled", speculative=True)

    copies = found(run_of(executor(), *tasks, killed))["speculative tasks"]

    assert copies.evidence.startswith("1 of 5 attempts")
    assert copies.settings == {"spark.speculation.multiplier": "3"}


@pytest.mark.parametrize(
    ("when", "reason", "settings"),
    [
        (4, "Container killed on request. Exit code is 137", {"spark.executor.memoryOverhead": "768m"}),
        (4, "worker lost", {}),
        (4, "Executor killed by driver due to idle timeout", None),
        (9.5, "Command exited with code 0", None),
    ],
)
def test_executors_that_are_lost_and_those_that_are_let_go(run_of, when, reason, settings) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    loss = found(run_of(executor(), executor("2"), *tasks, removal("2", when, reason))).get("executor loss")

    assert (loss.settings if loss else None) == settings


def test_memory_that_nobody_measured(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64, heap=0) for _ in range(4)]

    assert found(run_of(executor(), *tasks))["memory not measured"].settings == {
        "spark.eventLog.logStageExecutorMetrics": "true",
        "spark.executor.processTreeMetrics.enabled": "true",
    }


@pytest.mark.parametrize(
    ("heap", "kind", "memory"), [(100, "memory unused", "1024m"), (3960, "memory short", "4950m")]
)
def test_memory_against_what_was_given(run_of, heap, kind, memory) -> None:
    tasks = [task(0, 0, 9.0, input=64, heap=heap) for _ in range(4)]

    assert found(run_of(executor(), *tasks, executor_memory="4g"))[kind].settings == {
        "spark.executor.memory": memory
    }


def test_a_driver_that_works_alone(run_of) -> None:
    tasks = [task(0, start, 2.0, input=64) for start in (1.0, 7.0) for _ in range(4)]

    driver = found(run_of(executor(), *tasks, seconds=10))["driver"]

    assert driver.evidence == (
        "no task ran in 6.0 of 10.0 s: 1.0 s until the first, 4.0 s in 1 gaps (the longest 4.0 s), "
        "1.0 s at the end"
    )


def plan(commit: int, *scans: tuple[int, str]) -> bytes:
    nodes = [
        {
            "nodeName": "Scan csv",
            "metadata": {"Location": location, "Format": "CSV"},
            "metrics": [{"name": "size of files read", "accumulatorId": number, "metricType": "size"}],
        }
        for number, location in scans
    ]
    metrics = [{"name": "job commit time", "accumulatorId": commit, "metricType": "timing"}]
    return event(
        f"{SQL}SQLExecutionStart",
        sparkPlanInfo={"nodeName": "Write", "children": nodes, "metrics": metrics, "metadata": {}},
    )


def counted(*updates: tuple[int, int]) -> bytes:
    return event(f"{SQL}DriverAccumUpdates", executionId=0, accumUpdates=[list(pair) for pair in updates])


def test_output_that_is_committed_by_renaming(run_of) -> None:
    tasks = [task(0, 0, 6.0, input=64) for _ in range(4)]
    name = "sql.parquet.fs.optimized.committer.optimization-enabled"
    events = [executor(), *tasks, plan(7), counted((7, 3000)), stage(0, 0, 6, task_commit_time=4000)]

    commit = found(run_of(*events))["commit"]
    already = found(run_of(*events, **{name: "true"}))

    assert commit.evidence == "3.0 s of committing jobs, 4.0 s of committing tasks"
    assert commit.seconds == 4.0
    assert commit.settings == {f"spark.{name}": "true"}
    assert not already["commit"].settings


def test_scans_of_different_files_and_scans_that_did_not_run_are_no_repetition(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    different = run_of(executor(), *tasks, plan(1, (2, "[a]"), (3, "[b]")), counted((2, MIB), (3, MIB)))
    planned = run_of(executor(), *tasks, plan(1, (2, "[a]"), (3, "[a]")), counted((2, MIB)))
    repeated = run_of(executor(), *tasks, plan(1, (2, "[a]"), (3, "[a]")), counted((2, MIB), (3, MIB)))

    assert "repeated scans" not in found(different)
    assert "repeated scans" not in found(planned)
    assert found(repeated)["repeated scans"].evidence == "2 scans of [a]: 2.1 MB for 1.0 MB of files"


def test_of_two_findings_on_one_setting_the_first_has_its_way() -> None:
    first = Finding("a", "", "", "", settings={"spark.x": "1"})
    second = Finding("b", "", "", "", settings={"spark.x": "2", "spark.y": "3"})

    assert settings_of([first, second]) == {"spark.x": "1", "spark.y": "3"}


def test_what_costs_most_comes_first(run_of) -> None:
    tasks = [task(0, 5, 4.0, input=64, gc=2.0) for _ in range(4)]

    seconds = [finding.seconds for finding in findings(run_of(executor(), *tasks, seconds=20))]

    assert len(seconds) > 1
    assert seconds == sorted(seconds, reverse=True)
