"""Computes the timeline of a step from its jobs, or from its start and end if it has no jobs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from ml_pipeline.execution_report.model import Phase, Span
from ml_pipeline.executions.executions import Step
from ml_pipeline.executions.jobs import Job

_FAILED = {"Failed", "Stopped"}


def spans_of(step: Step, jobs: Sequence[Job], execution_started: datetime) -> tuple[Span, ...]:
    """Return the spans of a step in chronological order. A step that did not start has no spans.

    Args:
        step: the step, as listed by `ListPipelineExecutionSteps`.
        jobs: the job of each attempt, the earliest first; empty if the result was reused.
        execution_started: the start of the execution.
    """
    if step.started is None:
        return ()
    # If an execution was retried, SageMaker reports the start of the last attempt only.
    started = min(step.started, jobs[0].created) if jobs else step.started
    spans = [Span(Phase.WAITING, execution_started, started)] if started > execution_started else []
    if not jobs:
        phase = Phase.FAILED if step.status in _FAILED else Phase.RUNNING
        return (*spans, Span(phase, started, step.ended))
    if jobs[0].created > started:
        spans.append(Span(Phase.STARTING, started, jobs[0].created))
    return tuple(_merged(chain(spans, _of_jobs(jobs))))


def _of_jobs(jobs: Sequence[Job]) -> Iterator[Span]:
    before: Job | None = None
    for job in jobs:
        if before and before.ended and job.created > before.ended:
            yield Span(Phase.RETRYING, before.ended, job.created)
        yield from _of_job(job)
        before = job


def _of_job(job: Job) -> Iterator[Span]:
    phase = Phase.FAILED if job.status in _FAILED else Phase.RUNNING
    if job.started is None:
        yield Span(phase if phase is Phase.FAILED else Phase.STARTING, job.created, job.ended)
        return
    if job.started > job.created:
        yield Span(Phase.STARTING, job.created, job.started)
    yield Span(phase, job.started, job.ended)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Merge adjacent spans of the same phase."""
    last: Span | None = None
    for span in spans:
        if last and last.phase is span.phase and last.ended == span.started:
            last = Span(span.phase, last.started, span.ended)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last
