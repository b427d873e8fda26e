"""What a rule yields, and what rules share: what matters, and which settings make how many partitions."""

import math
import re
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
    change: str
    """What to change, where it is not a setting alone."""
    effect: str
    stage: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Properties of spark-defaults with the values to try next."""
    seconds: float = 0.0
    """Wall-clock that is at stake, at most; an estimate, for the order."""


def matters(run: Profile, seconds: float) -> bool:
    """Return whether a loss is at least a second, or a twentieth of a run that is shorter than that."""
    return seconds >= min(1.0, SHARE * (run.ended - run.started) / 1000)


def stage_seconds(run: Profile, stage: Stage) -> float:
    """Return the wall-clock of a stage."""
    return (stage.span_ms or stage.run_ms / max(run.slots, 1)) / 1000


def more_partitions(run: Profile, stage: Stage, factor: int) -> dict[str, str]:
    """Return the settings that give a stage so many times as many tasks."""
    return partitions(run, stage, factor * stage.tasks)


def partitions(run: Profile, stage: Stage, wanted: int) -> dict[str, str]:
    """Return the settings that give a stage about so many tasks.

    A stage that reads a shuffle has as many as the shuffle has partitions, unless AQE joins these; one that
    reads files has as many as maxPartitionBytes makes of them; any other follows the default parallelism.
    """
    wanted = max(wanted, 1)
    if stage.shuffle_read:
        settings = {"spark.sql.shuffle.partitions": str(wanted)}
        if run.properties.get("spark.sql.adaptive.enabled", "true") == "true":
            size = max(1, mib(stage.shuffle_read / wanted))
            settings["spark.sql.adaptive.advisoryPartitionSizeInBytes"] = f"{size}m"
        return settings
    if stage.input:
        size = max(1, mib(stage.input / wanted))
        return {"spark.sql.files.maxPartitionBytes": f"{size}m"}
    return {"spark.default.parallelism": str(wanted)}


def memory_mib(text: str) -> int:
    """Return a size of Spark's memory settings in MiB; a number alone is in MiB.

    Raises:
        ValueError: it is no size.
    """
    match = re.fullmatch(r"(\d+)\s*([kmgt]?)b?", text.strip().lower())
    if not match:
        raise ValueError(f"{text!r} is no size of memory")
    return int(int(match[1]) * {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1 << 20}[match[2]])


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
