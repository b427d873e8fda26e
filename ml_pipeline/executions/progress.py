"""The progress of an execution: pure functions from snapshots to lines."""

from datetime import UTC, datetime

from helpers.progress import duration
from ml_pipeline.executions.executions import Snapshot, Step


def changes(before: Snapshot | None, after: Snapshot, now: datetime) -> list[str]:
    """Return one line for each status that has changed between two snapshots."""
    known = {step.name: step for step in before.steps} if before else {}
    lines = [_step_line(step, now) for step in after.steps if _state(step) != _state(known.get(step.name))]
    if before is None or before.status != after.status:
        lines.append(f"execution {after.status}")
    return lines


def elapsed(step: Step, now: datetime) -> str:
    """Return how long a step has run, such as 4 s or 2 min 05 s."""
    if step.started is None:
        return ""
    return duration(((step.ended or now) - step.started).total_seconds())


def stamped(line: str, now: datetime) -> str:
    """Return a line after the time in UTC, as in logs."""
    return f"{now.astimezone(UTC):%H:%M:%SZ} {line}"


def shown_status(step: Step) -> str:
    """Return the status of a step, with the source of its result."""
    if step.reused_from:
        return f"{step.status} (cached)"
    return f"{step.status} (attempt {step.attempts})" if step.attempts > 1 else step.status


def _state(step: Step | None) -> tuple[str, int] | None:
    return (step.status, step.attempts) if step else None


def _step_line(step: Step, now: datetime) -> str:
    after = f" after {elapsed(step, now)}" if step.ended and not step.reused_from else ""
    return f"step {step.name} {shown_status(step)}{after}"
