"""The summary at the end of an execution: from plain data to lines."""

from collections.abc import Sequence

from helpers.s3 import join
from ml_pipeline.executions.executions import Snapshot
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.executions.progress import duration
from ml_pipeline.executions.target import Target

_WIDTH = 16


def summary(snapshot: Snapshot, outcomes: Sequence[StepOutcome], target: Target) -> str:
    """Return what became of an execution, and where to look next."""
    lines = [_row("Execution", snapshot.arn), _row("Status", snapshot.status)]
    failed = any(outcome.step.status == "Failed" for outcome in outcomes)
    if snapshot.failure_reason and not failed:
        lines.append(_row("Reason", snapshot.failure_reason))
    for outcome in outcomes:
        lines += ["", *_step_lines(outcome, snapshot.arn, target)]
    return "\n".join(lines)


def _step_lines(outcome: StepOutcome, arn: str, target: Target) -> list[str]:
    step, report = outcome.step, outcome.report
    lines = [_row("Step", f"{step.name}: {step.status}")]
    if step.reused_from:
        lines.append(_row("Cache", f"nothing changed: result of {step.reused_from} reused"))
    if step.status == "Failed":
        lines.append(_row("Reason", step.failure_reason or "SageMaker gives none"))
        lines.append(_row("See the log", target.command("logs", ARGS=f"--execution {arn}")))
    if step.status == "Succeeded" and outcome.output:
        if report:
            lines.append(_row("CSV", join(report.outputs.csv)))
            lines.append(_row("Parquet", join(report.outputs.parquet)))
            if report.outputs.rejected:
                lines.append(_row("Quarantine", join(report.outputs.rejected)))
        else:
            lines.append(_row("Output", join(outcome.output)))
    if report:
        counts = f"{report.rows_in:,} in, {report.rows_out:,} out, {report.rows_rejected:,} rejected"
        lines.append(_row("Rows", counts))
    if outcome.log_stream:
        lines.append(_row("Log", outcome.log_stream))
    if outcome.event_logs:
        parts = [report.application_id] if report else []
        lines.append(_row("Spark event log", join(outcome.event_logs, *parts)))
    lines += _time_lines(outcome)
    return lines + [_row("Note", note) for note in outcome.notes]


def _time_lines(outcome: StepOutcome) -> list[str]:
    phases: list[tuple[str, float]] = []
    if outcome.created and outcome.started:
        phases.append(("instances", (outcome.started - outcome.created).total_seconds()))
    if outcome.started and outcome.ended:
        phases.append(("job", (outcome.ended - outcome.started).total_seconds()))
    if outcome.created and not outcome.started and outcome.ended:
        phases.append(("until its end", (outcome.ended - outcome.created).total_seconds()))
    lines = []
    if phases:
        lines.append(_row("Time", ", ".join(f"{name} {duration(seconds)}" for name, seconds in phases)))
    if outcome.report and outcome.report.seconds:
        inside = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.report.seconds.items())
        lines.append(_row("In the job", inside))
    return lines


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}"
