"""What the driver does while no task runs, and what the job makes tasks do twice."""

from collections.abc import Iterator

from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules.finding import Finding, matters, size, stage_seconds

_DRIVER_SHARE = 0.3


def driver(run: Profile) -> Iterator[Finding]:
    """Time in which no task ran: the driver starts, plans, lists files, collects or commits."""
    lost = run.driver_ms / 1000
    if run.driver_ms < _DRIVER_SHARE * (run.ended - run.started) or not matters(run, lost):
        return
    if not run.busy.starts:
        yield Finding("driver", f"no task ran in {lost:.1f} s", "look into the job's log", "", seconds=lost)
        return
    before = (run.busy.starts[0] - run.started) / 1000
    after = max(0, run.ended - run.busy_until) / 1000
    gaps = [milliseconds / 1000 for milliseconds in run.busy.gaps]
    yield Finding(
        "driver",
        f"no task ran in {lost:.1f} of {(run.ended - run.started) / 1000:.1f} s: "
        f"{before:.1f} s until the first, {sum(gaps):.1f} s in {len(gaps)} gaps "
        f"(the longest {max(gaps, default=0):.1f} s), {after:.1f} s at the end",
        "fewer actions, no collect() or toPandas() of much data, no listing of many files by the driver",
        f"at most the {sum(gaps) + after:.1f} s after the start",
        seconds=sum(gaps) + after,
    )


def commit(run: Profile) -> Iterator[Finding]:
    """Time in which output that is written is moved to where it belongs."""
    tasks = sum(stage.task_commit_ms for stage in run.stages.values()) / 1000
    lost = run.job_commit_ms / 1000 + tasks / max(run.slots, 1)
    if not matters(run, lost):
        return
    name = "spark.sql.parquet.fs.optimized.committer.optimization-enabled"
    yield Finding(
        "commit",
        f"{run.job_commit_ms / 1000:.1f} s of committing jobs, {tasks:.1f} s of committing tasks",
        "a committer that does not rename, fewer and larger files",
        f"up to {lost:.1f} s",
        settings={} if run.properties.get(name) == "true" else {name: "true"},
        seconds=lost,
    )


def repeated_scans(run: Profile) -> Iterator[Finding]:
    """The same files read by several scans."""
    by_location: dict[str, list[int]] = {}
    for scan in run.scans.values():
        if scan.size:
            by_location.setdefault(scan.location, []).append(scan.size)
    reading = [stage for stage in run.stages.values() if stage.input]
    seconds = sum(stage_seconds(run, stage) for stage in reading)
    everything = sum(sum(sizes) for sizes in by_location.values())
    for location, sizes in by_location.items():
        if len(sizes) > 1:
            again = sum(sizes) - max(sizes)
            yield Finding(
                "repeated scans",
                f"{len(sizes)} scans of {location}: {size(sum(sizes))} for {size(max(sizes))} of files",
                "persist() what several outputs are made from, or make one from the other; give the schema",
                f"{size(again)} less to read",
                seconds=seconds * again / everything,
            )
