"""Findings, and common functions of rules: relevance, and the settings for the number of partitions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from helpers.spark.event_log.profile import Profile, Stage

MIB = 1 << 20
SHARE = 0.05
"""Fraction of a run below which a loss is not reported."""


@dataclass(frozen=True)
class Finding:
    """A loss of time or reliability in a run, with a recommendation."""

    kind: str
    evidence: str
    recommendation: str
    """What to change, if it is not only a setting."""
    impact: str
    stage: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Properties of spark-defaults with the values to try next."""
    seconds: float = 0.0
    """Maximum time at stake; an estimate, for sorting."""


def matters(run: Profile, seconds: float) -> bool:
    """Return whether a loss is at least a second, or a twentieth of a shorter run."""
    return seconds >= min(1.0, SHARE * (run.ended - run.started) / 1000)


def stage_seconds(run: Profile, stage: Stage) -> float:
    """Return the duration of a stage, limited to the time in which tasks ran: it may wait for others."""
    span = stage.span_ms or stage.run_ms / max(run.task_slots, 1)
    return min(span, stage.task_ms, run.busy.total) / 1000


def idle_seconds(run: Profile) -> float:
    """Return the maximum time that an even load would save, from cores without a task."""
    return max(0.0, run.capacity_ms - run.run_ms) / 1000 / max(run.task_slots, 1)


def more_partitions(run: Profile, stage: Stage, factor: int) -> dict[str, str]:
    """Return the settings that multiply the number of a stage's tasks by a factor."""
    return partitions(run, stage, factor * stage.partitions)


def partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    """Return the settings for about a number of tasks of a stage; empty if no setting has an effect.

    A stage that reads a shuffle has the number of shuffle partitions, unless AQE coalesces them. A stage that
    scans files depends on maxPartitionBytes, and any other stage on the default parallelism.
    """
    wanted = max(wanted, 1)
    if stage.shuffle_read:
        return _shuffle_partitions(run, stage, wanted)
    if stage.divided:
        return {}  # the job divides its input itself
    if stage.input:
        return _scan_partitions(run, stage, wanted)
    return {"spark.default.parallelism": str(wanted)}


def _shuffle_partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    adaptive = run.settings.is_on("spark.sql.adaptive.enabled")
    present = run.settings.number("spark.sql.shuffle.partitions")
    if not adaptive and stage.partitions != present:
        return {}  # the job sets the number itself, for example with repartition(4)
    more = wanted > stage.partitions
    settings = {}
    if wanted != present and (wanted > present) == more:
        settings["spark.sql.shuffle.partitions"] = str(wanted)
    advisory = "spark.sql.adaptive.advisoryPartitionSizeInBytes"
    size = max(1, mib(stage.shuffle_read / wanted))
    # AQE coalesces up to this size only if parallelismFirst is off.
    if adaptive and more and size * MIB < run.settings.size(advisory):
        settings[advisory] = f"{size}m"
    return settings


def _scan_partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    name = "spark.sql.files.maxPartitionBytes"
    size, present = max(1, mib(stage.input / wanted)), run.settings.size(name)
    if run.scans and not stage.scans:
        return {}  # it reads cached data or the files of an RDD
    if size * MIB == present or (size * MIB < present) != (wanted > stage.partitions):
        return {}  # the files cannot be split, or small ones are already combined
    return {name: f"{size}m"}


def mib(size: float) -> int:
    """Return bytes in MiB, rounded up."""
    return math.ceil(size / MIB)


def size(size: float) -> str:
    """Return bytes in a readable unit."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
