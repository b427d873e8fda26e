"""Shows the steps of a running execution as a table on a terminal."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table

from ml_pipeline.executions.executions import Snapshot
from ml_pipeline.executions.job_logs import NewestLine, milliseconds
from ml_pipeline.executions.progress import elapsed, shown_status

if TYPE_CHECKING:
    from boto3 import Session
    from rich.console import Console

_COLORS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow"}


@contextmanager
def live_table(session: "Session", console: "Console") -> Iterator[Callable[[Snapshot], None]]:
    """Yield a function that shows an execution, replacing the previous output."""
    newest = NewestLine(session.client("sagemaker"), session.client("logs"))
    with Live(console=console, refresh_per_second=4) as live:

        def show(snapshot: Snapshot) -> None:
            running = [step for step in snapshot.steps if step.job_arn and not step.ended]
            lines = {step.job_arn: newest.of(step.job_arn, milliseconds(step.started)) for step in running}
            live.update(table(snapshot, lines, datetime.now(UTC)))

        yield show


def table(snapshot: Snapshot, newest: Mapping[str, str], now: datetime) -> Table:
    """Return the steps as a table for a terminal.

    Args:
        snapshot: the execution.
        newest: the newest log line of each job by ARN.
        now: the end time for running steps.
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
        color = _COLORS.get(step.status, "cyan")
        line = newest.get(step.job_arn, "").replace("[", r"\[")
        result.add_row(step.name, f"[{color}]{shown_status(step)}[/]", elapsed(step, now), line)
    return result
