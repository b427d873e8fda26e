"""What a rule yields, and what rules share: what matters, and which settings make how many partitions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from helpers.spark.event_log.profile import Profile, Stage

MIB = 1 << 20
SHARE = 0.05
"""Of a run: what takes less is not worth a line."""


@dataclass(frozen=True)
class Finding:
    """Something that a run lost time or safety with."""

    kind: str
    evidence: str
    recommendation: str
    """What to change, where it is not a setting alone."""
    impact: str
    stage: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Properties of spark-defaults with the values to try next."""
    seconds: float = 0.0
    """Wall-clock that is at stake, at most; an estimate, for the order."""


def matters(run: Profile, seconds: float) -> bool:
    """Return whether a loss is at least a second, or a twentieth of a run that is shorter than that."""
    return seconds >= min(1.0, SHARE * (run.ended - run.started) / 1000)


def stage_seconds(run: Profile, stage: Stage) -> float:
    """Return the wall-clock of a stage, at most the time that tasks ran: it may have waited for others."""
    span = stage.span_ms or stage.run_ms / max(run.task_slots, 1)
    return min(span, stage.task_ms, run.busy.total) / 1000


def idle_seconds(run: Profile) -> float:
    """Return the wall-clock that cores without a task would have saved: what an even load gains at most."""
    return max(0.0, run.capacity_ms - run.run_ms) / 1000 / max(run.task_slots, 1)


def more_partitions(run: Profile, stage: Stage, factor: int) -> dict[str, str]:
    """Return the settings that give a stage so many times as many tasks."""
    return partitions(run, stage, factor * stage.partitions)


def partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    """Return the settings that give a stage about so many tasks; none where no setting can.

    A stage that reads a shuffle has as many as the shuffle has partitions, unless AQE joins these; one that
    scans files has as many as maxPartitionBytes makes of them; any other follows the default parallelism.
    """
    wanted = max(wanted, 1)
    if stage.shuffle_read:
        return _shuffle_partitions(run, stage, wanted)
    if stage.divided:
        return {}  # the job has divided its input itself
    if stage.input:
        return _scan_partitions(run, stage, wanted)
    return {"spark.default.parallelism": str(wanted)}


def _shuffle_partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    adaptive = run.settings.is_on("spark.sql.adaptive.enabled")
    present = run.settings.number("spark.sql.shuffle.partitions")
    if not adaptive and stage.partitions != present:
        return {}  # the job has given the number itself, as by repartition(4)
    more = wanted > stage.partitions
    settings = {}
    if wanted != present and (wanted > present) == more:
        settings["spark.sql.shuffle.partitions"] = str(wanted)
    advisory = "spark.sql.adaptive.advisoryPartitionSizeInBytes"
    size = max(1, mib(stage.shuffle_read / wanted))
    # To join more of them, AQE heeds this size only without its parallelismFirst.
    if adaptive and more and size * MIB < run.settings.size(advisory):
        settings[advisory] = f"{size}m"
    return settings


def _scan_partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    name = "spark.sql.files.maxPartitionBytes"
    size, present = max(1, mib(stage.input / wanted)), run.settings.size(name)
    if run.scans and not stage.scans:
        return {}  # it reads what is cached, or files of an RDD
    if size * MIB == present or (size * MIB < present) != (wanted > stage.partitions):
        return {}  # files that cannot be split are larger, or small ones are joined already
    return {name: f"{size}m"}


def mib(size: float) -> int:
    """Return bytes in MiB, rounded up."""
    return math.ceil(size / MIB)


def size(size: float) -> str:
    """Return bytes for people."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
