"""Formats the summary of an execution from plain data."""

from collections.abc import Sequence

from helpers.command_line import make_command
from helpers.errors import RAISE_QUOTA
from helpers.progress import duration
from helpers.s3 import join
from ml_pipeline.executions.executions import MODEL_PACKAGE, Snapshot
from ml_pipeline.executions.job_report import Report
from ml_pipeline.executions.jobs import PROCESSING
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.executions.target import Target, shown_file

_WIDTH = 16


def summary(snapshot: Snapshot, outcomes: Sequence[StepOutcome], target: Target) -> str:
    """Return the result of an execution, and what to look at next."""
    lines = [_row("Execution", snapshot.arn), _row("Status", snapshot.status)]
    failed = any(outcome.step.status == "Failed" for outcome in outcomes)
    if snapshot.failure_reason and not failed:
        lines.append(_row("Reason", snapshot.failure_reason))
    lines.append(_row("Page", target.command("report", ARGS=f"--execution {snapshot.arn}")))
    for outcome in outcomes:
        lines += ["", *_step_lines(outcome, snapshot.arn, target)]
    return "\n".join(lines)


def _step_lines(outcome: StepOutcome, arn: str, target: Target) -> list[str]:
    step, report = outcome.step, outcome.report
    lines = [_row("Step", f"{step.name}: {step.status}")]
    if step.reused_from:
        lines.append(_row("Cache", f"nothing changed: result of {step.reused_from} reused"))
    if step.status == "Failed":
        lines.append(_row("Reason", " ".join(step.failure_reason.split()) or "SageMaker gives none"))
        if "ResourceLimitExceeded" in step.failure_reason:
            lines.append(_row("Quota", RAISE_QUOTA))
        if outcome.exception:
            lines.append(_row("Exception", outcome.exception))
        if outcome.job or step.job_arn:
            lines.append(_row("See the log", target.command("logs", ARGS=f"--execution {arn}")))
        if outcome.job and outcome.job_kind is not PROCESSING:
            lines.append(_row("Parameters", f"steps.{step.name} in {shown_file(target.pipeline)}"))
    lines += [_row(name, value) for name, value in outcome.results]
    lines += _approval_lines(outcome, target)
    if report:
        lines += [*_report_lines(report), _row("Report", outcome.report_uri)]
    if outcome.log_stream:
        lines.append(_row("Log", outcome.log_stream))
    if outcome.event_logs:
        parts = [report.application_id] if report else []
        lines.append(_row("Spark event log", join(outcome.event_logs, *parts)))
    lines += _time_lines(outcome)
    return lines + [_row("Note", note) for note in (*outcome.report_problems, *outcome.notes)]


def _approval_lines(outcome: StepOutcome, target: Target) -> list[str]:
    """Return how to review and approve a registered version."""
    version = dict(outcome.results).get(MODEL_PACKAGE, "").rpartition("/")[2]
    if not version:
        return []
    return [_row("Approve it", make_command("approve", ENV=target.environment, MODEL=version))]


def _report_lines(report: Report) -> list[str]:
    counts = {"in": report.rows_in, "rejected": report.rows_rejected}
    text = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count is not None)
    lines = [_row("Rows", text)] if text else []
    outputs = [
        (name, _counted(output.rows, "row"), _counted(output.files, "file"), join(output.folder))
        for name, output in report.outputs.items()
    ]
    widths = [max(map(len, column)) for column in zip(*outputs, strict=True)]
    for name, rows, files, folder in outputs:
        cells = name.ljust(widths[0]), rows.rjust(widths[1]), files.rjust(widths[2]), folder
        lines.append(_row("Output", "  ".join(cells)))
    if report.executors:
        lines.append(_row("Executors", str(report.executors)))
    lines += [_row("Failed check", str(check)) for check in report.failed_checks.values()]
    return lines


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


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}"
