"""Rules for time in which no task ran, and for work that tasks repeat."""

from collections.abc import Iterator

from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules.finding import SHARE, Finding, matters, size, stage_seconds

_DRIVER_SHARE = 0.3


def driver(run: Profile) -> Iterator[Finding]:
    """Find time in which no task ran: the driver starts, plans, lists files, collects or commits."""
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
    """Find time in which written output is moved to its destination."""
    tasks = sum(min(stage.task_commit_ms, stage.run_ms) for stage in run.stages.values()) / 1000
    jobs = min(sum(run.job_commits.values()), run.driver_ms) / 1000
    lost = jobs + tasks / max(run.task_slots, 1)
    if not matters(run, lost):
        return
    # The committer is part of EMR, and supports only Parquet.
    name = "spark.sql.parquet.fs.optimized.committer.optimization-enabled"
    can_help = "amzn" in run.spark_version and run.parquet_commits
    yield Finding(
        "commit",
        f"{jobs:.1f} s of committing jobs, {tasks:.1f} s of committing tasks",
        "a committer that does not rename, fewer and larger files",
        f"up to {lost:.1f} s",
        settings={name: "true"} if can_help else {},
        seconds=lost,
    )


def repeated_scans(run: Profile) -> Iterator[Finding]:
    """Find files that several scans read."""
    read: dict[int, tuple[float, float]] = {}
    for stage in run.stages.values():
        sizes = {number: run.scans[number].size for number in stage.scans}
        for number, chosen in sizes.items():
            # Other data that the stage read was cached.
            part = min(chosen, stage.input * chosen / max(sum(sizes.values()), 1))
            bytes_before, seconds_before = read.get(number, (0.0, 0.0))
            seconds = stage_seconds(run, stage) * part / max(stage.input, 1)
            read[number] = bytes_before + part, seconds_before + seconds
    by_location: dict[str, list[tuple[float, float]]] = {}
    for number, scanned in read.items():
        by_location.setdefault(run.scans[number].location, []).append(scanned)
    for location, scans in by_location.items():
        scans.sort()
        most = scans[-1][0]
        again = sum(part for part, _ in scans[:-1])
        if again > SHARE * most:
            yield Finding(
                "repeated scans",
                f"{len(scans)} scans of {location} read {size(again + most)}, the largest {size(most)}",
                "persist() what several outputs are made from, or make one from the other; give the schema",
                f"up to {size(again)} less to read",
                seconds=sum(seconds for _, seconds in scans[:-1]),
            )
