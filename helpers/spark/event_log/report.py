"""Formats a run and its findings as text."""

import statistics
from collections.abc import Sequence

from helpers.spark.event_log.allocation import allocation_of
from helpers.spark.event_log.profile import Profile, Stage
from helpers.spark.event_log.rules.finding import Finding
from helpers.spark.event_log.summary import summary_of


def report(run: Profile, found: Sequence[Finding]) -> str:
    """Return the figures of a run, then each finding with evidence, recommendation and effect."""
    summary = summary_of(run)
    share = (
        summary.task_seconds / (summary.seconds * summary.slots) if summary.seconds and summary.slots else 0
    )
    lines = [
        f"{summary.application_id or run.name}: {summary.seconds:.1f} s on {summary.slots} cores of "
        f"{summary.executors} executor{'s' * (summary.executors != 1)}, Spark {run.spark_version}",
        *([str(allocation)] if (allocation := allocation_of(run)) else []),
        f"tasks {summary.task_seconds:.1f} core-seconds ({share:.0%} of the cores), "
        f"no task for {summary.driver_seconds:.1f} s",
        f"read {summary.input_bytes / 1e6:,.1f} MB, shuffled {summary.shuffle_bytes / 1e6:,.1f} MB, "
        f"wrote {summary.output_bytes / 1e6:,.1f} MB",
        *(_rows(stage) for stage in run.stages.values() if stage.rows),
    ]
    if not summary.complete:
        lines.append("PARTIAL: the log has no end. The application runs, was killed, or the file is cut off.")
    for finding in found:
        where = (
            "" if finding.stage is None else f" in stage {finding.stage} ({run.stages[finding.stage].name})"
        )
        lines += [
            "",
            f"{finding.kind}{where}",
            f"  evidence        {finding.evidence}",
            f"  recommendation  {finding.recommendation}",
        ]
        lines += [
            f"                  {name} = {value} (was {run.properties.get(name, 'not set')})"
            for name, value in finding.settings.items()
        ]
        lines.append(f"  impact          {finding.impact}")
    if not found:
        lines += ["", "Nothing to change."]
    return "\n".join(lines)


def _rows(stage: Stage) -> str:
    """Return how many rows the tasks of a stage read, how evenly, and how fast."""
    parts = [f"{sum(stage.rows):,} rows read by {len(stage.rows):,} task{'s' * (len(stage.rows) != 1)}"]
    parts.append(f"{stage.rejected:,} rejected")
    if len(stage.rows) > 1:
        parts.append(f"{statistics.median_low(stage.rows):,} in the median task")
        parts.append(f"{max(stage.rows):,} in the largest")
    if stage.run_ms:
        parts.append(f"{sum(stage.rows) * 1000 / stage.run_ms:,.0f} rows/s on a core")
    if len(stage.rows) > 1 and stage.longest_ms and stage.longest < len(stage.rows):
        parts.append(f"{stage.rows[stage.longest] * 1000 / stage.longest_ms:,.0f} in the longest task")
    return ", ".join(parts)
