"""Compares an execution with the previous one."""

from collections.abc import Iterator

from helpers.progress import duration
from ml_pipeline.execution_report.model import Difference, ExecutionReport, Step

LEAST_CHANGE = 0.1
"""Minimum relative change of a duration. Smaller changes, and those below a second, are noise."""


def differences(previous: ExecutionReport, now: ExecutionReport) -> tuple[Difference, ...]:
    """Return the differences of `now` from `previous`: first of the execution, then of each step."""
    return (*_of_execution(previous, now), *_of_steps(previous, now))


def _of_execution(previous: ExecutionReport, now: ExecutionReport) -> Iterator[Difference]:
    yield from _changed("", "status", previous.status, now.status)
    before, after = previous.provenance, now.provenance
    if before and after:
        for what in ("commit", "code_hash", "definition_hash"):
            yield from _changed("", what.replace("_", " "), getattr(before, what), getattr(after, what))
    yield from _duration("", previous.seconds, now.seconds)
    old, new = previous.cost, now.cost
    if old and new and old.usd is not None and new.usd is not None:
        yield from _changed("", "estimated cost", f"{old.usd:.4f} USD", f"{new.usd:.4f} USD")


def _of_steps(previous: ExecutionReport, now: ExecutionReport) -> Iterator[Difference]:
    before = {step.name: step for step in previous.steps}
    after = {step.name: step for step in now.steps}
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield Difference(name, "step", "present", "missing")
        elif name not in before:
            yield Difference(name, "step", "missing", "present")
        else:
            yield from _of_step(before[name], after[name])


def _of_step(previous: Step, now: Step) -> Iterator[Difference]:
    name = now.name
    yield from _changed(name, "status", _status(previous), _status(now))
    if not previous.reused_from and not now.reused_from:
        yield from _duration(name, previous.took, now.took)
    yield from _count(name, "rows read", previous.rows_in, now.rows_in)
    yield from _count(name, "rows rejected", previous.rows_rejected, now.rows_rejected)
    rows = {output.name: output.rows for output in previous.outputs}
    for output in now.outputs:
        yield from _count(name, f"rows of {output.name}", rows.get(output.name), output.rows)
    yield from _changed(name, "image", previous.image, now.image)
    yield from _changed(name, "packages", ", ".join(previous.packages), ", ".join(now.packages))


def _status(step: Step) -> str:
    return f"{step.status}, result reused" if step.reused_from else step.status


def _count(step: str, what: str, previous: int | None, now: int | None) -> Iterator[Difference]:
    if previous is not None and now is not None:
        yield from _changed(step, what, f"{previous:,}", f"{now:,}")


def _duration(step: str, previous: float, now: float) -> Iterator[Difference]:
    if previous and now and abs(now - previous) >= max(1.0, LEAST_CHANGE * previous):
        yield from _changed(step, "duration", duration(previous), duration(now))


def _changed(step: str, what: str, previous: str, now: str) -> Iterator[Difference]:
    if previous != now:
        yield Difference(step, what, previous or "none", now or "none")
