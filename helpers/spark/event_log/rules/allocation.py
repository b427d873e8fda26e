"""Rules for executors that were requested but not granted."""

import math
from collections import Counter
from collections.abc import Iterator

from helpers.spark.event_log.allocation import Allocation, allocation_of, is_dynamic
from helpers.spark.event_log.profile import Profile, Stage
from helpers.spark.event_log.rules.finding import Finding

_START_MS = 30_000
"""Maximum time from Spark's request until an executor runs tasks."""
_UNLIMITED = 2**31 - 1
"""Spark's default for the maximum executors of dynamic allocation, which is not a request."""


def executors_not_granted(run: Profile) -> Iterator[Finding]:
    """Find fewer executors than `spark.executor.instances`: the cluster has no room, and Spark continues."""
    allocation = allocation_of(run)
    if allocation is None or not allocation.missing:
        return
    if not allocation.granted:
        yield from _none_granted(run, allocation)
    elif run.busy.starts:
        yield from _some_granted(run, allocation)


def _some_granted(run: Profile, allocation: Allocation) -> Iterator[Finding]:
    last = max(executor.added for executor in run.executors_at_once)
    lost = _seconds(run.run_ms, run, allocation.requested)
    more = allocation.missing * allocation.cores
    yield Finding(
        "executors not granted",
        f"{allocation}; the last came {(last - run.started) / 1000:.1f} s after the start, "
        f"the run went on for {max(0, run.ended - last) / 1000:.1f} s",
        f"more instances, or executors of which all have room{_room(run, allocation)}; "
        f"otherwise ask for {allocation.granted} (spark.executor.instances)",
        f"up to {lost:.1f} s with {more} cores more",
        seconds=lost,
    )


def _none_granted(run: Profile, allocation: Allocation) -> Iterator[Finding]:
    """Find a run without executors, and so without tasks, for twice the startup time of an executor."""
    seconds = (run.ended - run.started) / 1000
    if run.busy.starts or run.ended - run.started < 2 * _START_MS:
        return
    yield Finding(
        "executors not granted",
        f"{allocation}, in {seconds:.1f} s",
        "executors that a node has room for next to the application master: lower spark.executor.memory or "
        "spark.executor.cores; otherwise larger instances",
        "the job's tasks run",
        seconds=seconds,
    )


def _room(run: Profile, allocation: Allocation) -> str:
    """Return the size of executors with which the requested number fits on the hosts of the granted ones.

    Each host has room for the executors that it ran, and possibly more.
    """
    by_host = Counter(executor.host for executor in run.executors_at_once)
    held, wanted = min(by_host.values()), math.ceil(allocation.requested / len(by_host))
    memory, cores = held * allocation.memory_mib // wanted, held * allocation.cores // wanted
    room = f": at most {memory:,} MiB (spark.executor.memory and overhead)"
    if 0 < cores < allocation.cores:
        room += f" and, where vCPU are short, {cores} core{'s' * (cores != 1)} (spark.executor.cores)"
    return room


def dynamic_executors_not_granted(run: Profile) -> Iterator[Finding]:
    """Find fewer executors than `spark.dynamicAllocation.maxExecutors` while tasks waited for one."""
    settings, granted = run.settings, len(run.executors_at_once)
    most = int(settings.number("spark.dynamicAllocation.maxExecutors"))
    if run.runs_in_driver or not is_dynamic(settings) or not 0 < granted < most < _UNLIMITED:
        return
    # While tasks wait, Spark doubles its request after each timeout except the first.
    first = settings.milliseconds("spark.dynamicAllocation.schedulerBacklogTimeout")
    next_ones = settings.milliseconds("spark.dynamicAllocation.sustainedSchedulerBacklogTimeout") or first
    expected_ms = first + next_ones * math.ceil(math.log2(most)) + _START_MS
    waiting = [stage for stage in run.stages.values() if _waited_ms(stage) > expected_ms]
    if not waiting:
        return
    worst = max(waiting, key=_waited_ms)
    lost = _seconds(sum(stage.run_ms for stage in waiting), run, most)
    yield Finding(
        "executors not granted",
        f"{granted} at most of the {most} that dynamic allocation may take, while tasks waited for up to "
        f"{_waited_ms(worst) / 1000:.1f} s",
        "more instances, or executors of less spark.executor.memory, of which more have room; otherwise "
        f"{granted} as spark.dynamicAllocation.maxExecutors",
        f"up to {lost:.1f} s, if all {most} had work",
        worst.id,
        seconds=lost,
    )


def _waited_ms(stage: Stage) -> int:
    """Return how long tasks of a stage waited for their launch; 0 if tasks were launched again."""
    return max(0, stage.last_launch - stage.submitted) if stage.submitted and not stage.failed else 0


def _seconds(run_ms: int, run: Profile, executors: int) -> float:
    """Return the maximum time that more executors would save."""
    slots = max(run.task_slots, 1)
    return run_ms / 1000 / slots * (1 - len(run.executors_at_once) / executors)
