"""Rules for the distribution of data to tasks."""

import math
from collections.abc import Iterator, Mapping

from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules.finding import (
    MIB,
    SHARE,
    Finding,
    idle_seconds,
    matters,
    mib,
    more_partitions,
    partitions,
    size,
    stage_seconds,
)

_PARTITION = 128 * MIB
"""Recommended bytes of a partition: Spark's default for scans."""
_LARGE_PARTITION = 512 * MIB
_SMALL_PARTITION = 8 * MIB
_SHORT_TASK_MS = 100
_SKEW = 3.0
_BUSY_SHARE = 0.7
_TASK_COST_MS = 10
"""Approximate overhead of the driver for each task."""


def spill(run: Profile) -> Iterator[Finding]:
    """Find tasks that had too little memory for their partition and spilled to disk."""
    for stage in run.stages.values():
        if not stage.disk_spilled:
            continue
        held = max(stage.peak_execution, 1)
        factor = min(8, 1 + math.ceil(stage.memory_spilled / stage.tasks / held))
        settings = more_partitions(run, stage, factor)
        yield Finding(
            "spill",
            f"{size(stage.disk_spilled)} to disk ({size(stage.memory_spilled)} in memory) "
            f"by {stage.tasks} tasks that read {size(stage.read)}",
            f"{factor} times as many partitions, or as much more {run.memory_setting} per core"
            + ("" if settings else "; the job gives their number itself, as by repartition()"),
            "each task's share fits into its memory: nothing is written and read again",
            stage.id,
            settings,
            seconds=stage_seconds(run, stage) * min(0.5, stage.disk_spilled / max(stage.read, 1)),
        )


def skew(run: Profile) -> Iterator[Finding]:
    """Find stages that wait for one task that takes much longer than the others."""
    for stage in run.stages.values():
        done, median = sum(stage.durations.values()), stage.median_ms
        even = max(median, stage.run_ms / max(run.task_slots, 1))
        lost = min((stage.longest_ms - even) / 1000, idle_seconds(run))
        if done < 3 or stage.longest_ms < _SKEW * max(median, 1) or not matters(run, lost):
            continue
        mean = stage.read / done
        by_data = stage.longest_read > _SKEW / 2 * mean > 0
        evidence = (
            f"the longest of {done} tasks took {stage.longest_ms / 1000:.1f} s, "
            f"{stage.longest_ms / max(median, 1):.1f} times the median of {median / 1000:.2f} s"
        )
        if by_data:
            evidence += f"; it read {size(stage.longest_read)}, the mean is {size(mean)}"
        if by_data and stage.shuffle_read:
            change = "let Spark split large partitions of joins; a skewed groupBy or repartition needs a salt"
            settings = _skew_join(run, 2 * mean)
        elif by_data:
            change = "one file is much larger and cannot be split: write it in parts or in Parquet"
            settings = {}
        else:
            change = "the same amount of data takes longer: a slow node, or rows that cost more"
            # Two copies of a task that writes can both leave their output, and Spark starts a copy only on
            # another host.
            settings = {} if stage.output or len(run.hosts) < 2 else {"spark.speculation": "true"}
        yield Finding(
            "skew", evidence, change, f"up to {lost:.1f} s of the stage", stage.id, settings, seconds=lost
        )


def _skew_join(run: Profile, threshold: float) -> dict[str, str]:
    """Return the settings with which AQE splits join partitions above a size in bytes."""
    prefix = "spark.sql.adaptive.skewJoin.skewedPartition"
    settings = {"spark.sql.adaptive.enabled": "true", "spark.sql.adaptive.skewJoin.enabled": "true"}
    if run.settings.number(f"{prefix}Factor") > _SKEW:
        settings[f"{prefix}Factor"] = f"{_SKEW:g}"
    if run.settings.size(f"{prefix}ThresholdInBytes") > mib(threshold) * MIB:
        settings[f"{prefix}ThresholdInBytes"] = f"{mib(threshold)}m"
    return settings


def idle_cores(run: Profile) -> Iterator[Finding]:
    """Find idle cores, because there are fewer tasks than cores."""
    share = run.run_ms / run.capacity_ms if run.capacity_ms else 1.0
    lost = idle_seconds(run)
    if run.task_slots < 2 or share > _BUSY_SHARE or not matters(run, lost):
        return
    few = [stage for stage in run.stages.values() if 0 < stage.partitions < run.task_slots]
    worst = max(few, key=lambda stage: stage_seconds(run, stage), default=None)
    evidence = f"while tasks ran, {share:.0%} of the {run.task_slots} cores worked"
    change = "two tasks per core at least; otherwise fewer cores do as well"
    settings: Mapping[str, str] = {}
    if worst is not None:
        number = f"{worst.partitions} task{'s' * (worst.partitions != 1)}"
        evidence += f"; stage {worst.id} has {number} for {run.task_slots} cores"
        if worst.read >= 2 * run.task_slots * MIB:
            settings = partitions(run, worst, 2 * run.task_slots)
        else:
            change = "the data is too little for so many cores: fewer or smaller instances do as well"
    yield Finding(
        "idle cores",
        evidence,
        change,
        f"up to {lost:.1f} s, or {1 - share:.0%} of the cores' cost",
        worst.id if worst else None,
        settings,
        seconds=lost,
    )


def small_partitions(run: Profile) -> Iterator[Finding]:
    """Find stages with very many very short tasks."""
    for stage in run.stages.values():
        wanted = max(2 * run.task_slots, math.ceil(stage.read / _PARTITION))
        fewer = max(0, stage.tasks - wanted)
        lost = min(fewer * _TASK_COST_MS / 1000, stage_seconds(run, stage) * fewer / max(stage.tasks, 1))
        if (
            stage.tasks > 4 * max(run.task_slots, 1)
            and stage.median_ms < _SHORT_TASK_MS
            and stage.read / stage.tasks < _SMALL_PARTITION
            and matters(run, lost)
        ):
            yield Finding(
                "small partitions",
                f"{stage.tasks} tasks, half of them below {stage.median_ms:.0f} ms, "
                f"{size(stage.read / stage.tasks)} each",
                f"about {wanted} partitions",
                f"about {lost:.1f} s of starting tasks",
                stage.id,
                partitions(run, stage, wanted),
                seconds=lost,
            )


def large_partitions(run: Profile) -> Iterator[Finding]:
    """Find stages whose tasks read so much that a retry is expensive and memory becomes scarce."""
    for stage in run.stages.values():
        mean = stage.read / max(stage.tasks, 1)
        if mean > _LARGE_PARTITION:
            wanted = math.ceil(stage.read / _PARTITION)
            yield Finding(
                "large partitions",
                f"{stage.tasks} tasks of {size(mean)} each, up to {size(stage.largest)}",
                f"about {wanted} partitions; a file in gzip is one partition, whatever the settings",
                "less memory for each task, less to repeat when one fails, an even load",
                stage.id,
                partitions(run, stage, wanted),
                seconds=stage_seconds(run, stage) * SHARE,
            )
