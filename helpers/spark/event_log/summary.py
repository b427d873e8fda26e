"""A run in ten figures, for whoever compares runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.spark.event_log.profile import Profile, read

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class RunSummary:
    """What a run took and moved."""

    application_id: str
    seconds: float
    """Wall-clock from the start of the application to its end."""
    slots: int
    """Cores of all executors: the most that there were at the same time."""
    executors: int
    """The most that there were at the same time."""
    task_seconds: float
    """Run times of all tasks together, also of those that failed."""
    input_bytes: int
    output_bytes: int
    shuffle_bytes: int
    """Bytes that tasks wrote for others to read."""
    driver_seconds: float
    """Wall-clock in which no task ran."""
    complete: bool = True
    """Whether the log has its end; without one the figures are those of its part."""
    scanned_bytes: int = 0
    """Size of the files scanned, each place once; `input_bytes` counts cached data and repeated scans too."""


def summarize(source: str | Path, s3: "S3Client | None" = None) -> RunSummary:
    """Return the summary of an event log.

    Args:
        source: a path or an s3:// URI, see `reading.lines`.
        s3: a client, where the source is a URI.

    Raises:
        EventLogError: there is no log, or it is damaged.
    """
    return summary_of(read(source, s3))


def summary_of(run: Profile) -> RunSummary:
    """Return the figures of a profile."""
    stages = run.stages.values()
    places: dict[str, int] = {}
    for scan in run.scans.values():
        places[scan.location] = max(places.get(scan.location, 0), scan.size)
    return RunSummary(
        application_id=run.application_id,
        seconds=(run.ended - run.started) / 1000,
        slots=run.cores,
        executors=len(run.executors_at_once),
        task_seconds=run.run_ms / 1000,
        input_bytes=sum(stage.input for stage in stages),
        output_bytes=sum(stage.output for stage in stages),
        shuffle_bytes=sum(stage.shuffle_written for stage in stages),
        driver_seconds=run.driver_ms / 1000,
        complete=run.complete,
        scanned_bytes=sum(places.values()),
    )
