"""Rules for Python workers, whose times Spark logs since 4.0."""

from collections.abc import Iterator

from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules.finding import SHARE, Finding, matters

_RUN_SHARE = 0.5
_REUSE = "spark.python.worker.reuse"


def worker_starts(run: Profile) -> Iterator[Finding]:
    """Find tasks that wait for a Python process to start and to import its modules."""
    started = sum(min(stage.python_start_ms, stage.run_ms) for stage in run.stages.values())
    lost = started / 1000 / max(run.task_slots, 1)
    if started < SHARE * run.run_ms or not matters(run, lost):
        return
    worst = max(run.stages.values(), key=lambda stage: stage.python_start_ms)
    yield Finding(
        "Python worker starts",
        f"{started / 1000:.1f} s of the tasks' {run.run_ms / 1000:.1f} s until Python workers were ready",
        ("" if run.settings.is_on(_REUSE) else "keep workers for the next task; ")
        + "import less in the modules of functions, and broadcast less to them",
        f"up to {lost:.1f} s",
        worst.id,
        {_REUSE: "true"},
        seconds=lost,
    )


def functions(run: Profile) -> Iterator[Finding]:
    """Find stages that spend most of their time in Python functions."""
    for stage in run.stages.values():
        working = min(stage.python_run_ms, stage.run_ms)
        lost = working / 1000 / max(run.task_slots, 1)
        if working > _RUN_SHARE * stage.run_ms and matters(run, lost):
            yield Finding(
                "Python functions",
                f"{working / 1000:.1f} s of the tasks' {stage.run_ms / 1000:.1f} s in Python workers, "
                "with their waits for rows",
                "built-in functions of Spark, or functions that take many rows at once (pandas_udf), where "
                "pyarrow is installed: the SageMaker image has none",
                f"up to {lost:.1f} s",
                stage.id,
                seconds=lost,
            )
