"""Findings of synthetic runs at the limits of the rules; see test_real_run.py for a real one."""

import pytest

from helpers.spark.event_log.configuration import settings_of
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import INPUT_BYTES, INPUT_ROWS, REJECTED_ROWS
from helpers.spark.event_log.report import report
from helpers.spark.event_log.rules.finding import Finding, partitions
from tests.helpers.spark.event_log.conftest import (
    MIB,
    counted,
    event,
    executor,
    plan,
    removal,
    stage,
    task,
)


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


@pytest.mark.parametrize(
    ("host", "output", "speculation", "settings"),
    [
        ("b", 0, "false", {"spark.speculation": "true"}),
        ("b", 0, "true", {}),
        ("b", 9, "false", {}),
        ("a", 0, "false", {}),
    ],
)
def test_a_slow_task_is_copied_if_another_host_can_and_it_does_not_write(
    run_of, host, output, speculation, settings
) -> None:
    tasks = [task(0, 0, seconds, shuffled=64, output=output) for seconds in [1.0] * 8 + [6.0]]
    executors = [executor("1", 8, host="a"), executor("2", 8, host=host)]

    skew = found(run_of(*executors, *tasks, seconds=7, speculation=speculation))["skew"]

    assert "the same amount of data" in skew.recommendation
    assert skew.settings == settings


def test_peaks_of_the_driver_are_not_those_of_executors(run_of) -> None:
    def peak(name: str, heap: int) -> bytes:
        metrics = {"Executor ID": name, "Executor Metrics": {"JVMHeapMemory": heap * MIB}}
        return event("SparkListenerStageExecutorMetrics", **metrics)

    tasks = [task(0, 0, 9.0, input=64, heap=0) for _ in range(4)]

    run = run_of(executor(), *tasks, peak("driver", 900), peak("1", 400), executor_memory="2g")

    assert found(run)["memory unused"].evidence == "heap up to 419.4 MB of 2.1 GB (20%)"


def test_one_large_file_in_a_scan_is_fixed_in_the_data(run_of) -> None:
    tasks = [task(0, 0, 1.0, input=10) for _ in range(8)]

    skew = found(run_of(executor(cores=16), *tasks, task(0, 0, 60.0, input=900), seconds=61))["skew"]

    assert "cannot be split" in skew.recommendation
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

    assert "fewer or smaller instances" in idle.recommendation
    assert not idle.settings


def test_very_many_very_short_tasks(run_of) -> None:
    tasks = [task(0, number / 100, 0.02, shuffled=0.1) for number in range(400)]
    without_aqe = {"sql_adaptive_enabled": "false", "sql_shuffle_partitions": "400"}

    small = found(run_of(executor(), *tasks, stage(0, 0, 5), **without_aqe))["small partitions"]

    assert small.settings == {"spark.sql.shuffle.partitions": "8"}


def test_tasks_that_take_longer_to_start_than_to_run(run_of) -> None:
    tasks = [task(0, number / 100, 0.02, shuffled=0.001, running=0.0) for number in range(400)]

    assert found(run_of(executor(), *tasks, stage(0, 0, 5)))["small partitions"].seconds == pytest.approx(
        3.92
    )


def test_few_tasks_of_very_much_data(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=1024) for _ in range(4)]

    large = found(run_of(executor(), *tasks, stage(0, 0, 9), sql_files_maxPartitionBytes="1g"))
    not_split = found(run_of(executor(), *tasks, stage(0, 0, 9)))

    assert large["large partitions"].settings == {"spark.sql.files.maxPartitionBytes": "128m"}
    assert not not_split["large partitions"].settings, "128m is Spark's default: these files cannot be split"


def test_a_task_that_runs_out_of_memory_gets_less_data(run_of) -> None:
    error = {"Class Name": "java.lang.OutOfMemoryError", "Description": "Java heap space"}
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    failed = found(run_of(executor(), *tasks, task(0, 0, 1.0, "ExceptionFailure", error=error)))

    assert failed["failed tasks"].settings == {"spark.sql.files.maxPartitionBytes": "32m"}, "of 256 in 8"
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


MEASURED = {
    "eventLog_logStageExecutorMetrics": "true",
    "executor_processTreeMetrics_enabled": "true",
}
POLLED = "spark.executor.metrics.pollingInterval"


@pytest.mark.parametrize(
    ("properties", "seconds", "asked"),
    [
        ({}, 30.0, {f"spark.{name.replace('_', '.')}" for name in MEASURED}),
        (MEASURED, 9.0, {POLLED}),
        (MEASURED, 30.0, None),
        (MEASURED | {"executor_metrics_pollingInterval": "500ms"}, 9.0, None),
        (MEASURED | {"executor_heartbeatInterval": "2s"}, 9.0, None),
    ],
)
def test_memory_that_nobody_measured(run_of, properties, seconds, asked) -> None:
    tasks = [task(0, 0, seconds, input=64, heap=0) for _ in range(4)]

    unmeasured = found(run_of(executor(), *tasks, seconds=40, **properties)).get("memory not measured")

    assert (set(unmeasured.settings) if unmeasured else None) == asked


@pytest.mark.parametrize(
    ("given", "heap", "effect"),
    [("600m", 50, None), ("1g", 50, None), ("1100m", 50, "79.7 MB"), ("4g", 1638, "2.1 GB")],
)
def test_memory_that_is_saved_is_what_the_setting_saves(run_of, given, heap, effect) -> None:
    tasks = [task(0, 0, 9.0, input=64, heap=heap) for _ in range(4)]

    unused = found(run_of(executor(), *tasks, executor_memory=given)).get("memory unused")

    assert (unused.impact if unused else None) == (effect and f"{effect} less for each executor")


def test_tasks_in_the_driver_have_the_memory_of_the_driver(run_of) -> None:
    tasks = [task(0, 0, 9.0, gc=3, heap=4000) for _ in range(4)]

    run = run_of(executor("driver"), *tasks, driver_memory="4g", executor_memory="1g")

    assert found(run)["memory short"].settings == {"spark.driver.memory": "5000m"}
    assert found(run)["garbage collection"].settings == {"spark.driver.memory": "5120m"}


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


def test_output_that_is_committed_by_renaming(run_of) -> None:
    tasks = [task(0, 0, 6.0, input=64) for _ in range(4)]
    name = "sql.parquet.fs.optimized.committer.optimization-enabled"
    events = [executor(), *tasks, plan(7), counted((7, 3000)), stage(0, 0, 6, task_commit_time=4000)]

    commit = found(run_of(*events, version="3.5.1-amzn-0"))["commit"]
    already = found(run_of(*events, version="3.5.1-amzn-0", **{name: "TRUE"}))
    not_emr = found(run_of(*events))
    events[events.index(plan(7))] = plan(7, output="CSV")
    not_parquet = found(run_of(*events, version="3.5.1-amzn-0"))

    assert commit.evidence == "3.0 s of committing jobs, 4.0 s of committing tasks"
    assert commit.seconds == 4.0
    assert commit.settings == {f"spark.{name}": "true"}
    assert [found["commit"].settings for found in (already, not_emr, not_parquet)] == [{}, {}, {}]


def test_scans_of_different_files_and_scans_that_did_not_run_are_not_a_repetition(run_of) -> None:
    tasks = [task(number, 0, 9.0, input=4) for number in range(2)]
    sizes = counted((2, 4 * MIB), (3, 4 * MIB))
    both = [stage(0, 0, 9, rows_of=(2,)), stage(1, 0, 9, rows_of=(3,))]

    different = run_of(executor(), plan(1, (2, "[a]"), (3, "[b]")), sizes, *tasks, *both)
    planned = run_of(executor(), plan(1, (2, "[a]"), (3, "[a]")), sizes, *tasks, both[0], stage(1, 0, 9))
    repeated = run_of(executor(), plan(1, (2, "[a]"), (3, "[a]")), sizes, *tasks, *both)

    assert "repeated scans" not in found(different)
    assert "repeated scans" not in found(planned)
    scans = found(repeated)["repeated scans"]
    assert scans.evidence == "2 scans of [a] read 8.4 MB, the largest 4.2 MB"
    assert scans.impact == "up to 4.2 MB less to read"
    assert scans.seconds == pytest.approx(9.0)


def test_a_look_at_the_first_rows_of_a_large_file_is_not_a_repetition(run_of) -> None:
    peeks = [task(0, 0, 0.1, input=0.07), task(1, 1, 0.1, input=0.07)]
    stages = [
        stage(0, 0, 0.1, rows_of=(1,)),
        stage(1, 1, 0.1, rows_of=(2,)),
        stage(2, 2, 7, rows_of=(3,)),
    ]
    sizes = counted(*((number, 59 * MIB) for number in (1, 2, 3)))

    run = run_of(
        executor(),
        plan(9, (1, "[a]"), (2, "[a]"), (3, "[a]")),
        sizes,
        *peeks,
        task(2, 2, 7.0, input=59),
        *stages,
    )

    assert "repeated scans" not in found(run)


def test_a_scan_next_to_cached_rows_reads_no_more_than_its_files(run_of) -> None:
    stages = [stage(0, 0, 2, rows_of=(1,)), stage(1, 2, 7, rows_of=(2,))]
    tasks = [task(0, 0, 2.0, input=10), task(1, 2, 7.0, input=500)]

    run = run_of(
        executor(), plan(9, (1, "[a]"), (2, "[a]")), counted((1, 10 * MIB), (2, 10 * MIB)), *tasks, *stages
    )

    assert found(run)["repeated scans"].impact == "up to 10.5 MB less to read"


def spent(run) -> float:
    return (run.ended - run.started) / 1000


def test_no_finding_promises_more_than_the_run_spent(run_of) -> None:
    slow = [task(0, 0, 9.0, shuffled=64, gc=20, spilled=900, peak=1) for _ in range(4)]
    lost = [
        line
        for number in range(8)
        for line in (executor(str(number), start=number), removal(str(number), number + 1, "exit 137"))
    ]
    metrics = {
        "task_commit_time": 900_000,
        "time_to_start_Python_workers": 900_000,
        "time_to_run_Python_workers": 2_000_000,
    }
    events = [*lost, plan(7), counted((7, 900_000)), *slow, stage(0, -9000, 9009, **metrics)]

    run = run_of(*events, seconds=10)

    kinds = {finding.kind: finding.seconds for finding in findings(run)}
    assert {"garbage collection", "spill", "commit", "executor loss", "Python worker starts"} <= set(kinds)
    assert {kind: seconds for kind, seconds in kinds.items() if seconds > spent(run)} == {}


def test_a_replaced_executor_costs_the_time_until_its_replacement(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]
    executors = [executor("1"), removal("1", 2, "worker lost"), executor("2", start=3)]

    assert found(run_of(*executors, *tasks, seconds=10))["executor loss"].seconds == pytest.approx(1.0)


def test_failed_tasks_cost_what_they_ran(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    failed = found(run_of(executor(), *tasks, task(0, 0, 0.4, "ExceptionFailure")))["failed tasks"]

    assert failed.seconds == pytest.approx(0.1), "0.4 s on 4 cores; others ran for 9 s"


def test_cores_that_had_not_come_yet_did_not_wait(run_of) -> None:
    early = [task(0, start, 1.0, input=64) for start in range(8) for _ in range(4)]
    late = [task(1, 8, 1.0, input=64) for _ in range(8)]

    run = run_of(executor("1"), executor("2", start=8), *early, *late, seconds=9)

    assert "idle cores" not in found(run)


def test_tasks_of_two_cores_each_keep_both_busy(run_of) -> None:
    tasks = [task(0, start, 1.0, input=64) for start in range(9) for _ in range(2)]

    assert "idle cores" not in found(run_of(executor(), *tasks, task_cpus="2"))
    assert "idle cores" in found(run_of(executor(), *tasks))


def test_a_long_task_next_to_a_busy_cluster_costs_only_what_idled(run_of) -> None:
    tasks = [task(0, 0, 1.0, input=64) for _ in range(8)] + [task(0, 0, 9.0, input=64)]
    beside = [task(1, 1, 8.0, input=64) for _ in range(7)]

    assert "skew" not in found(run_of(executor(cores=8), *tasks, *beside, stage(0, 0, 9)))


def test_a_node_that_two_stages_run_counts_once(run_of) -> None:
    def over(number: int, value: int) -> bytes:
        accumulable = {"ID": 5, "Name": "time to start Python workers", "Value": str(value)}
        return event(
            "SparkListenerStageCompleted",
            **{"Stage Info": {"Stage ID": number, "Accumulables": [accumulable]}},
        )

    tasks = [task(number, 5 * number, 4.0) for number in range(2)]

    run = run_of(executor(cores=1), tasks[0], over(0, 3000), tasks[1], over(1, 4000))

    assert found(run)["Python worker starts"].evidence.startswith("4.0 s of the tasks' 8.0 s")


def test_python_workers_that_start(run_of) -> None:
    metrics = {
        "time_to_start_Python_workers": 3163,
        "time_to_initialize_Python_workers": 2184,
        "time_to_run_Python_workers": 9482,
    }
    events = [executor(cores=2), task(0, 0, 5.0), task(0, 0, 5.0), stage(0, 0, 5, **metrics)]

    kept = found(run_of(*events, version="4.1.1"))["Python worker starts"]
    thrown_away = found(run_of(*events, python_worker_reuse="false"))["Python worker starts"]

    assert kept.evidence == "5.3 s of the tasks' 10.0 s until Python workers were ready"
    assert not kept.settings
    assert kept.recommendation.startswith("import less")
    assert thrown_away.settings == {"spark.python.worker.reuse": "true"}
    assert "Python functions" not in found(run_of(*events)), "4.1 s of 10"


def test_a_stage_that_works_in_python(run_of) -> None:
    metrics = {"time_to_start_Python_workers": 100, "time_to_run_Python_workers": 16_000}
    events = [executor(cores=2), task(0, 0, 9.0), task(0, 0, 9.0), stage(0, 0, 9, **metrics)]

    assert found(run_of(*events))["Python functions"].impact == "up to 8.0 s"


@pytest.mark.parametrize(
    ("properties", "settings"),
    [
        ({"sql_shuffle_partitions": "8"}, {"spark.sql.shuffle.partitions": "16"}),
        ({"sql_shuffle_partitions": "200"}, {}),
    ],
)
def test_partitions_that_the_job_numbers_itself_have_no_setting(run_of, properties, settings) -> None:
    tasks = [task(0, 0, 9.0, shuffled=64, spilled=10, peak=64) for _ in range(8)]

    spill = found(
        run_of(executor(cores=8), *tasks, stage(0, 0, 9), sql_adaptive_enabled="false", **properties)
    )

    assert spill["spill"].settings == settings
    assert ("the job gives their number" in spill["spill"].recommendation) is not bool(settings)


def test_small_files_are_not_joined_by_smaller_partitions(run_of) -> None:
    tasks = [task(0, number / 100, 0.02, input=0.001) for number in range(400)]

    assert not found(run_of(executor(), *tasks, stage(0, 0, 5)))["small partitions"].settings


def test_cached_rows_are_not_divided_by_the_size_of_files(run_of) -> None:
    scan = [plan(9, (1, "[a]")), counted((1, MIB)), task(0, 0, 1.0, input=1), stage(0, 0, 1, rows_of=(1,))]

    idle = found(run_of(executor(cores=8), *scan, task(1, 1, 8.0, input=400), stage(1, 1, 8)))["idle cores"]

    assert idle.stage == 1
    assert not idle.settings


def test_a_skewed_join_whose_settings_are_in_effect(run_of) -> None:
    tasks = [task(0, 0, 1.0, shuffled=300) for _ in range(8)] + [task(0, 0, 9.0, shuffled=9000)]
    prefix = "sql_adaptive_skewJoin_skewedPartition"
    lowered = {f"{prefix}Factor": "2", f"{prefix}ThresholdInBytes": "100MB"}

    skew = found(run_of(executor(cores=16), *tasks, stage(0, 0, 9)))["skew"]

    assert skew.settings == {"spark.sql.adaptive.skewJoin.skewedPartitionFactor": "3"}
    assert not found(run_of(executor(cores=16), *tasks, stage(0, 0, 9), **lowered))["skew"].settings


def test_the_task_that_reads_most_is_not_always_the_longest(run_of) -> None:
    tasks = [task(0, 0, 1.0, shuffled=size) for size in [10] * 8 + [900]] + [task(0, 0, 9.0, shuffled=10)]

    assert (
        "the same amount of data"
        in found(run_of(executor(cores=16), *tasks, stage(0, 0, 9)))["skew"].recommendation
    )


@pytest.mark.parametrize(("version", "multiplier"), [("3.5.9", "3"), ("4.0.1", "6")])
def test_the_default_of_speculation_depends_on_the_version(run_of, version, multiplier) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]

    copies = found(
        run_of(executor(), *tasks, task(0, 0, 9.0, "TaskKilled", speculative=True), version=version)
    )

    assert copies["speculative tasks"].settings == {"spark.speculation.multiplier": multiplier}


def test_a_stage_that_fails_without_a_failed_task_is_reported(run_of) -> None:
    too_large = (
        "Job aborted due to stage failure: Total size of serialized results of 1 tasks (9.7 MiB) is bigger "
        "than spark.driver.maxResultSize (1024.0 KiB)"
    )
    killed = [task(0, 0, 2.0, "TaskKilled"), task(0, 0, 2.0, "TaskKilled")]

    failed = found(run_of(executor(), *killed, stage(0, failure=too_large)))["failed stage"]

    assert "is bigger than spark.driver.maxResultSize (1024.0 KiB)" in failed.evidence
    assert (
        failed.recommendation
        == "no collect() or toPandas() of much data, else a larger spark.driver.maxResultSize"
    )
    assert failed.seconds == pytest.approx(1.0), "twice 2 s on 4 cores"


def test_a_failed_stage_that_is_run_again_or_has_failed_tasks_is_reported_once(run_of) -> None:
    again = run_of(executor(), task(), stage(0, failure="FetchFailed"), stage(0))
    tasks = run_of(executor(), task(0, 0, 1.0, "ExceptionFailure"), stage(0, failure="Job aborted"))

    assert "failed stage" not in found(again)
    assert "failed stage" not in found(tasks)
    assert "the stage failed: Job aborted" in found(tasks)["failed tasks"].evidence


def test_a_commit_that_is_denied_is_not_a_failure(run_of) -> None:
    tasks = [task(0, 0, 9.0, input=64) for _ in range(4)]
    denied = {"Job ID": 0, "Partition ID": 0, "Attempt Number": 1}

    run = run_of(executor(), *tasks, task(0, 0, 9.0, "TaskCommitDenied", error=denied, speculative=True))

    assert "failed tasks" not in found(run)
    assert run.stages[0].killed == 1


def test_of_two_findings_on_one_setting_the_first_has_its_way() -> None:
    first = Finding("a", "", "", "", settings={"spark.x": "1"})
    second = Finding("b", "", "", "", settings={"spark.x": "2", "spark.y": "3"})

    assert settings_of([first, second]) == {"spark.x": "1", "spark.y": "3"}


def test_what_costs_most_comes_first(run_of) -> None:
    tasks = [task(0, 5, 4.0, input=64, gc=2.0) for _ in range(4)]

    seconds = [finding.seconds for finding in findings(run_of(executor(), *tasks, seconds=20))]

    assert len(seconds) > 1
    assert seconds == sorted(seconds, reverse=True)


def test_what_tasks_read_in_python_is_what_the_job_has_set(run_of) -> None:
    """Spark does not measure such reads, and no setting of Spark divides them."""
    submitted = event(
        "SparkListenerStageSubmitted",
        **{"Stage Info": {"Stage ID": 0}, "Properties": {INPUT_BYTES: f"{8 * MIB},{600 * MIB}"}},
    )
    tasks = [task(0, 0, 1.0, index=0), task(0, 0, 9.0, index=1), task(1, 9, 1.0, index=1)]

    run = run_of(executor(cores=2), submitted, *tasks, seconds=11)

    assert (run.stages[0].input, run.stages[0].largest) == (608 * MIB, 600 * MIB)
    assert run.stages[0].longest_read == 600 * MIB
    assert run.stages[1].input == 0
    assert partitions(run, run.stages[0], 8) == {}
    assert partitions(run, run.stages[1], 8) == {"spark.default.parallelism": "8"}


def test_rows_of_tasks_are_those_that_the_job_has_set(run_of) -> None:
    """Their number, their distribution, and the speed of a core and of the longest task."""
    submitted = event(
        "SparkListenerStageSubmitted",
        **{"Stage Info": {"Stage ID": 0}, "Properties": {INPUT_BYTES: f"{MIB},{MIB},{MIB}"}},
    )
    tasks = [task(0, 0, seconds, index=index) for index, seconds in enumerate((1.0, 5.0, 2.0))]
    rows = {INPUT_ROWS: "1000,6000,1000", REJECTED_ROWS: "0,2,1"}

    run = run_of(submitted, *tasks, event("SparkListenerJobStart", **{"Job ID": 1, "Properties": rows}))

    assert report(run, []).splitlines()[3] == (
        "8,000 rows read by 3 tasks, 3 rejected, 1,000 in the median task, 6,000 in the largest, "
        "1,000 rows/s on a core, 1,200 in the longest task"
    )


def test_rows_of_other_tasks_than_those_of_the_log_are_passed_over(run_of) -> None:
    submitted = event(
        "SparkListenerStageSubmitted", **{"Stage Info": {"Stage ID": 0}, "Properties": {INPUT_BYTES: "1"}}
    )
    rows = event("SparkListenerJobStart", Properties={INPUT_ROWS: "1,2"})

    assert "rows" not in report(run_of(submitted, task(), rows), [])
