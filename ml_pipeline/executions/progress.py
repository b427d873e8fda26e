"""What to tell of an execution while it runs: pure functions from snapshots to lines."""

from collections.abc import Mapping
from datetime import UTC, datetime

from rich.table import Table

from ml_pipeline.executions.executions import Snapshot, Step

_COLOURS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow"}


def changes(before: Snapshot | None, after: Snapshot, now: datetime) -> list[str]:
    """Return one line for each status that has changed between two snapshots."""
    known = {step.name: step for step in before.steps} if before else {}
    lines = [_step_line(step, now) for step in after.steps if _state(step) != _state(known.get(step.name))]
    if before is None or before.status != after.status:
        lines.append(f"execution {after.status}")
    return lines


def table(snapshot: Snapshot, newest: Mapping[str, str], now: datetime) -> Table:
    """Return the steps as a table for a terminal.

    Args:
        snapshot: the execution.
        newest: the newest log line of each job, by its ARN.
        now: the time until which running steps are counted.
    """
    result = Table(
        "Step",
        "Status",
        "Elapsed",
        "Newest log line",
        title=f"{snapshot.arn.rsplit('/', 1)[-1]}: {snapshot.status}",
        title_justify="left",
        expand=True,
    )
    result.columns[3].no_wrap = True
    result.columns[3].ratio = 1
    for step in snapshot.steps:
        colour = _COLOURS.get(step.status, "cyan")
        line = newest.get(step.job_arn, "").replace("[", r"\[")
        result.add_row(step.name, f"[{colour}]{_status(step)}[/]", elapsed(step, now), line)
    return result


def elapsed(step: Step, now: datetime) -> str:
    """Return how long a step has run, as 4 s or 2 min 05 s."""
    if step.started is None:
        return ""
    return duration(((step.ended or now) - step.started).total_seconds())


def duration(seconds: float) -> str:
    """Return a duration for people."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def stamped(line: str, now: datetime) -> str:
    """Return a line with the time in front, in UTC as logs have it."""
    return f"{now.astimezone(UTC):%H:%M:%SZ} {line}"


def _state(step: Step | None) -> tuple[str, int] | None:
    return (step.status, step.attempts) if step else None


def _status(step: Step) -> str:
    if step.reused_from:
        return f"{step.status} (cached)"
    return f"{step.status} (attempt {step.attempts})" if step.attempts > 1 else step.status


def _step_line(step: Step, now: datetime) -> str:
    after = f" after {elapsed(step, now)}" if step.ended and not step.reused_from else ""
    return f"step {step.name} {_status(step)}{after}"
