"""The executors that a run requested, and those that were granted.

A cluster manager grants what fits. Spark then continues without an error or a warning.
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
    """Requested and granted executors. They are identical: cores and memory are per executor."""

    requested: int
    granted: int
    """Maximum number of executors at the same time."""
    cores: int
    memory_mib: int
    """Memory of its container: heap, off-heap and Python memory, and on YARN the overhead."""

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
        """Executors that were requested but not granted."""
        return max(0, self.requested - self.granted)


def read_allocation(source: str | Path, s3: "S3Client | None" = None) -> Allocation | None:
    """Return the allocation of an event log; see `reading.lines` and `allocation_of`.

    The log is read until all executors were granted, and task events are not parsed. For a large log, the
    beginning is often enough.

    Raises:
        EventLogError: there is no log, or the part that was read is damaged.
    """
    run = Profile()
    for event in events.parse(lines(source, s3), source, _EVENTS):
        take(run, event)
        allocation = allocation_of(run)
        if run.properties and (allocation is None or not allocation.missing):
            break
    return allocation_of(run)


def allocation_of(run: Profile) -> Allocation | None:
    """Return the requested and the granted executors of a run.

    Returns None if the run requested no number of executors: with `local` there are none, and with dynamic
    allocation the request depends on the current tasks.
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
    """Return whether dynamic allocation is enabled."""
    return settings.is_on("spark.dynamicAllocation.enabled")


def container_bytes(settings: Settings) -> int:
    """Return the memory that Spark requests for an executor: on YARN the whole process, else the heap."""
    size = settings.size("spark.executor.memory")
    if settings.is_on("spark.memory.offHeap.enabled"):
        size += settings.size("spark.memory.offHeap.size")
    if settings.text("spark.master") == "yarn":
        size += settings.size("spark.executor.pyspark.memory") + overhead_bytes(settings)
    return size


def overhead_bytes(settings: Settings) -> int:
    """Return the memory overhead of an executor, which Spark requests from YARN in addition to the heap."""
    factor = settings.number("spark.executor.memoryOverheadFactor")
    by_heap = int(factor * settings.size("spark.executor.memory"))
    least = settings.size("spark.executor.minMemoryOverhead")
    return settings.size("spark.executor.memoryOverhead") or max(least, by_heap)
