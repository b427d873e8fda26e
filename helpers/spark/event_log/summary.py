"""A summary of a run in ten figures, for comparisons."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.spark.event_log.profile import Profile, read

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class RunSummary:
    """The time and data of a run."""

    application_id: str
    seconds: float
    """Seconds from the start of the application to its end."""
    slots: int
    """Maximum number of executor cores at the same time."""
    executors: int
    """Maximum number of executors at the same time."""
    task_seconds: float
    """Run times of all tasks, including failed ones."""
    input_bytes: int
    output_bytes: int
    shuffle_bytes: int
    """Bytes that tasks wrote to shuffles."""
    driver_seconds: float
    """Seconds during which no task ran."""
    complete: bool = True
    """Whether the log is complete; otherwise, the figures cover only a part of the run."""
    scanned_bytes: int = 0
    """Size of the scanned files, each counted once; `input_bytes` includes cached data and repeated scans."""


def summarize(source: str | Path, s3: "S3Client | None" = None) -> RunSummary:
    """Return the summary of an event log.

    Args:
        source: a path or an s3:// URI; see `reading.lines`.
        s3: a client, if the source is a URI.

    Raises:
        EventLogError: there is no log, or it is damaged.
    """
    return summary_of(read(source, s3))


def summary_of(run: Profile) -> RunSummary:
    """Return the summary of a profile."""
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
