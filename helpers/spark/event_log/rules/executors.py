"""Rules for executors: memory, garbage collection, losses and failures."""

import re
from collections.abc import Iterator, Sequence

from helpers.spark.event_log.allocation import overhead_bytes
from helpers.spark.event_log.profile import Executor, Profile
from helpers.spark.event_log.rules.finding import (
    MIB,
    SHARE,
    Finding,
    matters,
    mib,
    more_partitions,
    size,
)

_GC_SHARE = 0.1
_LEAST_HEAP = 1024 * MIB


def garbage_collection(run: Profile) -> Iterator[Finding]:
    """Find executors that spend too much time on garbage collection."""
    gc = sum(min(stage.gc_ms, stage.run_ms) for stage in run.stages.values())
    share = gc / max(run.run_ms, 1)
    lost = gc / 1000 / max(run.task_slots, 1)
    if share < _GC_SHARE or not matters(run, lost):
        return
    worst = max(run.stages.values(), key=lambda stage: stage.gc_ms)
    cores = int(run.settings.number("spark.executor.cores")) or max(
        (executor.cores for executor in run.executors.values()), default=1
    )
    settings = (
        {"spark.executor.cores": str(cores - 1)}
        if cores > 1 and not run.runs_in_driver
        else {run.memory_setting: f"{mib(1.25 * run.settings.size(run.memory_setting))}m"}
    )
    yield Finding(
        "garbage collection",
        f"{share:.0%} of the tasks' time ({gc / 1000:.1f} s of {run.run_ms / 1000:.1f} s)",
        "more memory for each task: fewer cores per executor, or a larger heap where the node has room",
        f"up to {lost:.1f} s",
        worst.id,
        settings,
        seconds=lost,
    )


def memory(run: Profile) -> Iterator[Finding]:
    """Compare the peak memory of executors with their available memory."""
    if not run.stages:
        return
    if not run.peak_heap:
        yield from _unmeasured(run)
        return
    given = run.settings.size(run.memory_setting)
    share = run.peak_heap / given
    evidence = f"heap up to {size(run.peak_heap)} of {size(given)} ({share:.0%})"
    if run.peak_process:
        evidence += f", the process {size(run.peak_process)}, Python {size(run.peak_python)}"
    enough = max(_LEAST_HEAP, mib(run.peak_heap * 1.25) * MIB)
    spilled = any(stage.disk_spilled for stage in run.stages.values())
    if share > 0.95:
        yield Finding(
            "memory short",
            evidence,
            "a larger heap, or more partitions",
            "less garbage collection, no executor that is lost because it lacks memory",
            settings={run.memory_setting: f"{mib(run.peak_heap * 1.25)}m"},
        )
    elif share < 0.5 and not spilled and enough < given:
        yield Finding(
            "memory unused",
            evidence,
            "a smaller instance with as many cores, or more cores on the same memory",
            f"{size(given - enough)} less for each executor",
            settings={run.memory_setting: f"{enough // MIB}m"},
        )


def _unmeasured(run: Profile) -> Iterator[Finding]:
    """Yield the settings that measure peaks, unless all are in effect."""
    wanted = {
        "spark.eventLog.logStageExecutorMetrics": "true",
        "spark.executor.processTreeMetrics.enabled": "true",
    }
    # Otherwise Spark measures with each heartbeat, which a shorter run does not have.
    polled = run.settings.milliseconds("spark.executor.metrics.pollingInterval")
    if not polled and run.busy.total < 2 * run.settings.milliseconds("spark.executor.heartbeatInterval"):
        wanted["spark.executor.metrics.pollingInterval"] = "1s"
    if all(run.settings.is_in_effect(name, value) for name, value in wanted.items()):
        return
    yield Finding(
        "memory not measured",
        "the log has no peaks of the executors' memory",
        "let Spark log them",
        "the next log shows how much of the memory is needed",
        settings=wanted,
    )


def executor_loss(run: Profile) -> Iterator[Finding]:
    """Find executors that ended early, except idle ones."""
    lost = {
        name: executor
        for name, executor in run.executors.items()
        if executor.removed is not None
        and executor.removed < run.busy_until
        and not re.search(r"idle|decommission", executor.reason, re.IGNORECASE)
    }
    if not lost:
        return
    name, first = min(lost.items(), key=lambda item: item[1].removed or 0)
    memory = re.search(r"memory|137|143", first.reason)
    overhead = overhead_bytes(run.settings)
    yield Finding(
        "executor loss",
        f"{len(lost)} of {len(run.executors)}; executor {name}: {first.reason[:200] or 'no reason is given'}",
        "room outside of the heap" if memory else "look into the executor's log and the node's metrics",
        "nothing of what it held is computed again",
        settings={"spark.executor.memoryOverhead": f"{mib(2 * overhead)}m"} if memory else {},
        seconds=_missing_seconds(run, list(lost.values())),
    )


def _missing_seconds(run: Profile, lost: Sequence[Executor]) -> float:
    """Return the time that the cores of lost executors, if not replaced, would have contributed."""
    first = min(executor.removed or 0 for executor in lost)
    left = sum((run.ended - (executor.removed or 0)) * executor.cores for executor in lost)
    present = sum(
        executor.cores * max(0, (executor.removed or run.ended) - max(first, executor.added))
        for executor in run.executors.values()
    )
    missing = run.cores * (run.ended - first) - present
    return max(0, min(left, missing)) / 1000 / max(run.cores, 1)


def failed_tasks(run: Profile) -> Iterator[Finding]:
    """Find failed tasks, whether they were retried or not."""
    for stage in run.stages.values():
        if not stage.failed:
            continue
        memory = bool(re.search(r"OutOfMemory|memory limits|exit code:? 137", stage.error))
        lost = stage.failed_ms / 1000 / max(run.task_slots, 1)
        yield Finding(
            "failed tasks",
            f"{stage.failed} of {stage.tasks} attempts; the last: {stage.error[:200]}"
            + (f"; the stage failed: {stage.failure.splitlines()[0][:200]}" if stage.failure else ""),
            "more partitions" if memory else "look into the job's log; no setting fixes what a task throws",
            "no work is done twice",
            stage.id,
            more_partitions(run, stage, 2) if memory else {},
            seconds=lost,
        )


def failed_stages(run: Profile) -> Iterator[Finding]:
    """Find stages that failed without a failed task, such as by results that are too large for the driver."""
    for stage in run.stages.values():
        if not stage.failure or stage.failed:
            continue
        too_large = "spark.driver.maxResultSize" in stage.failure
        yield Finding(
            "failed stage",
            f"it failed, and none of its tasks did: {stage.failure.splitlines()[0][:200]}",
            "no collect() or toPandas() of much data, else a larger spark.driver.maxResultSize"
            if too_large
            else "look into the job's log",
            "the stage succeeds",
            stage.id,
            seconds=stage.task_ms / 1000 / max(run.task_slots, 1),
        )


def speculative_tasks(run: Profile) -> Iterator[Finding]:
    """Find speculative attempts of slow tasks."""
    copies = sum(stage.speculative for stage in run.stages.values())
    if copies:
        tasks = sum(stage.tasks for stage in run.stages.values())
        worst = max(run.stages.values(), key=lambda stage: stage.speculative)
        multiplier = run.settings.number("spark.speculation.multiplier")
        yield Finding(
            "speculative tasks",
            f"{copies} of {tasks} attempts were copies of others, {worst.speculative} of them in this stage",
            "copies pay where nodes are slow, not where data is skewed",
            "the cores that the copies take",
            worst.id,
            {"spark.speculation.multiplier": f"{2 * multiplier:g}"} if copies > SHARE * tasks else {},
        )
