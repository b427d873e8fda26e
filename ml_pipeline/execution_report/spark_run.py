"""Converts the profile of a Spark event log into the model of the report."""

import re
from collections.abc import Mapping
from itertools import pairwise

from helpers.spark.event_log import profile
from helpers.spark.event_log.allocation import allocation_of
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules import finding as rules
from ml_pipeline.execution_report.model import Executor, Finding, SparkRun, Stage

MOST_STAGES = 15
MOST_INTERVALS = 200
"""Maximum number of intervals in which tasks ran. The shortest gaps between them are closed."""


def spark_run(run: Profile) -> SparkRun:
    """Return the model of a Spark run from the profile of its event log."""
    stages = [stage for stage in run.stages.values() if stage.span_ms]
    longest = sorted(stages, key=lambda stage: -stage.span_ms)[:MOST_STAGES]
    allocation = allocation_of(run)
    return SparkRun(
        application_id=run.application_id or run.name,
        version=run.spark_version,
        seconds=(run.ended - run.started) / 1000,
        cores=run.cores,
        allocation=str(allocation) if allocation else "",
        complete=run.complete,
        time=_wall_clock(run),
        core_time=_core_time(run),
        busy=_busy(run),
        executors=_executors(run),
        stages=tuple(_stage(run, each) for each in sorted(longest, key=lambda stage: stage.submitted)),
        stages_left_out=len(run.stages) - len(longest),
        findings=tuple(_finding(run, each) for each in findings(run)),
    )


def _since_start(run: Profile, time: int) -> float:
    return max(0, time - run.started) / 1000


def _wall_clock(run: Profile) -> Mapping[str, float]:
    """Return the wall-clock seconds of the application by activity."""
    if not run.busy.starts:
        return {"no task ran": (run.ended - run.started) / 1000}
    return {
        "before the first task": _since_start(run, run.busy.starts[0]),
        "tasks ran": run.busy.total / 1000,
        "between tasks": sum(run.busy.gaps) / 1000,
        "after the last task": max(0, run.ended - run.busy_until) / 1000,
    }


def _core_time(run: Profile) -> Mapping[str, float]:
    """Return the core-seconds by activity during the time when tasks ran."""
    stages = run.stages.values()
    collected = sum(stage.gc_ms for stage in stages)
    python = sum(stage.python_start_ms for stage in stages)
    commits = sum(stage.task_commit_ms for stage in stages)
    working = max(0, run.run_ms - collected - python - commits)
    overhead = max(0, sum(stage.task_ms for stage in stages) - run.run_ms)
    idle = max(0, run.capacity_ms - run.run_ms - overhead)
    return {
        "running tasks": working / 1000,
        "garbage collection": collected / 1000,
        "starting Python workers": python / 1000,
        "committing output": commits / 1000,
        "scheduling tasks": overhead / 1000,
        "idle": idle / 1000,
    }


def _busy(run: Profile) -> tuple[tuple[float, float], ...]:
    intervals = [
        (_since_start(run, start), _since_start(run, end))
        for start, end in zip(run.busy.starts, run.busy.ends, strict=True)
    ]
    if len(intervals) <= MOST_INTERVALS:
        return tuple(intervals)
    gaps = sorted((after[0] - before[1] for before, after in pairwise(intervals)), reverse=True)
    least = gaps[MOST_INTERVALS - 1]
    merged = intervals[:1]
    for start, end in intervals[1:]:
        if start - merged[-1][1] <= least:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def _executors(run: Profile) -> tuple[Executor, ...]:
    return tuple(
        Executor(
            name if run.runs_in_driver else f"executor {name}",
            executor.cores,
            _since_start(run, executor.added),
            _since_start(run, executor.removed or run.ended),
            executor.reason if executor.removed and executor.removed < run.ended else "",
        )
        for name, executor in sorted(run.executors.items(), key=lambda item: (item[1].added, item[0]))
    )


def _stage(run: Profile, stage: profile.Stage) -> Stage:
    return Stage(
        id=stage.id,
        name=_without_folders(stage.name),
        started=_since_start(run, stage.submitted),
        ended=_since_start(run, stage.completed),
        tasks=stage.tasks,
        failed_tasks=stage.failed,
        median_task=stage.median_ms / 1000,
        longest_task=stage.longest_ms / 1000,
        read=stage.read,
        shuffled=stage.shuffle_written,
        written=stage.output,
        spilled=stage.disk_spilled,
    )


def _without_folders(name: str) -> str:
    """Return a stage name such as `count at /opt/ml/code/job.py:12` without the folders."""
    return re.sub(r"(?<=\s)/\S*/", "", name)


def _finding(run: Profile, found: rules.Finding) -> Finding:
    where = (
        ""
        if found.stage is None
        else f"stage {found.stage} ({_without_folders(run.stages[found.stage].name)})"
    )
    return Finding(
        found.kind,
        where,
        found.evidence,
        found.recommendation,
        found.impact,
        tuple((name, value, run.properties.get(name, "not set")) for name, value in found.settings.items()),
        found.seconds,
    )
