"""The executors that a run asked for, and those that it was granted.

A cluster manager grants what fits. Spark continues with that, and neither fails nor warns.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.spark.event_log import events
from helpers.spark.event_log.profile import Profile, take
from helpers.spark.event_log.reading import lines
from helpers.spark.event_log.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_MIB = 1 << 20
_EVENTS = (events.LogStart, events.EnvironmentUpdate, events.ExecutorAdded, events.ExecutorRemoved)


@dataclass(frozen=True)
class Allocation:
    """Executors requested and granted. They are alike: cores and memory are those of each."""

    requested: int
    granted: int
    """The most at the same time."""
    cores: int
    memory_mib: int
    """Of its container: heap, off-heap and Python's memory, and on YARN the overhead."""

    def __str__(self) -> str:
        text = (
            f"{self.granted:,} of {self.requested:,} requested executors granted, "
            f"with {self.cores} core{'s' * (self.cores != 1)} and {self.memory_mib:,} MiB each"
        )
        if self.missing:
            text += (
                f": {self.granted * self.cores:,} of {self.requested * self.cores:,} cores, "
                f"{self.granted * self.memory_mib:,} of {self.requested * self.memory_mib:,} MiB"
            )
        return text

    @property
    def missing(self) -> int:
        """Executors that were requested and not granted."""
        return max(0, self.requested - self.granted)


def read_allocation(source: str | Path, s3: "S3Client | None" = None) -> Allocation | None:
    """Return the allocation of an event log, see `reading.lines` and `allocation_of`.

    The log is read until all executors were granted, and the events of its tasks are not parsed: often the
    beginning of a large one is enough.

    Raises:
        EventLogError: there is no log, or what was read of it is damaged.
    """
    run = Profile()
    for event in events.parse(lines(source, s3), source, _EVENTS):
        take(run, event)
        allocation = allocation_of(run)
        if run.properties and (allocation is None or not allocation.missing):
            break
    return allocation_of(run)


def allocation_of(run: Profile) -> Allocation | None:
    """Return what a run asked for and was granted.

    None where it asked for no number of executors: with `local` there are none, with dynamic allocation Spark
    asks for as many as its tasks need at the moment.
    """
    settings = run.settings
    requested = int(settings.number("spark.executor.instances"))
    if run.runs_in_driver or is_dynamic(settings) or not requested:
        return None
    granted = run.executors_at_once
    cores = max((executor.cores for executor in granted), default=0)
    return Allocation(
        requested,
        len(granted),
        cores or int(settings.number("spark.executor.cores")) or 1,
        container_bytes(settings) // _MIB,
    )


def is_dynamic(settings: Settings) -> bool:
    """Return whether Spark asks for executors as its tasks need them."""
    return settings.is_on("spark.dynamicAllocation.enabled")


def container_bytes(settings: Settings) -> int:
    """Return the memory that Spark asks for an executor: on YARN all of its process, elsewhere its heap."""
    size = settings.size("spark.executor.memory")
    if settings.is_on("spark.memory.offHeap.enabled"):
        size += settings.size("spark.memory.offHeap.size")
    if settings.text("spark.master") == "yarn":
        size += settings.size("spark.executor.pyspark.memory") + overhead_bytes(settings)
    return size


def overhead_bytes(settings: Settings) -> int:
    """Return the memory in addition to the heap of an executor that Spark asks YARN for."""
    factor = settings.number("spark.executor.memoryOverheadFactor")
    by_heap = int(factor * settings.size("spark.executor.memory"))
    least = settings.size("spark.executor.minMemoryOverhead")
    return settings.size("spark.executor.memoryOverhead") or max(least, by_heap)
