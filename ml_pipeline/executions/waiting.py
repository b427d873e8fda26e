"""Waits for an execution, and shows its progress."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import EndpointConnectionError, HTTPClientError

from helpers.command_line import continuing_on_aws, print_line
from ml_pipeline.executions.executions import Snapshot, stop, take_snapshot
from ml_pipeline.executions.progress import changes, stamped
from ml_pipeline.executions.target import Target

if TYPE_CHECKING:
    from boto3 import Session
    from rich.console import Console
    from types_boto3_sagemaker import SageMakerClient

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two requests."""
TIMEOUT_SECONDS = 300
"""Maximum time without a connection to AWS, for example while a laptop sleeps, before waiting ends."""

Show = Callable[[Snapshot | None, Snapshot], None]


def wait(
    session: "Session", arn: str, target: Target, console: "Console", until: float = math.inf
) -> tuple[Snapshot, bool]:
    """Wait until an execution has finished; Ctrl-C stops it and waits for that.

    Args:
        session: where the execution is.
        arn: the execution.
        target: its pipeline, for the commands that show and stop it.
        console: shows its progress.
        until: when to wait no longer, by `time.monotonic()`; the execution continues.

    Returns:
        The execution at its end, or as it is by then, and whether it was interrupted from here. A second
        Ctrl-C is not caught: the execution then stops on its own. That and an error have notes with the
        commands that show and stop it.
    """
    sagemaker = session.client("sagemaker")
    on_aws = continuing_on_aws(f"execution {arn}", target.command("status"), target.command("stop"))
    with on_aws, _screen(session, console) as show:
        try:
            return _follow(sagemaker, arn, show, until), False
        except KeyboardInterrupt:
            print_line(console, stamped(f"Interrupted: stopping {arn}", datetime.now(UTC)))
            print_line(console, "Press Ctrl-C again to leave. It then stops on AWS without this command.")
            stop(sagemaker, arn)
            return _follow(sagemaker, arn, show), True


def _follow(sagemaker: "SageMakerClient", arn: str, show: Show, until: float = math.inf) -> Snapshot:
    before = None
    last_answer = last_change = time.monotonic()
    while True:
        try:
            snapshot = take_snapshot(sagemaker, arn)
        except (EndpointConnectionError, HTTPClientError):
            now = time.monotonic()
            if now - last_answer > TIMEOUT_SECONDS:
                raise
        else:
            now = last_answer = time.monotonic()
            if snapshot != before:
                last_change = now
            show(before, snapshot)
            if snapshot.over or time.monotonic() > until:
                return snapshot
            before = snapshot
        # A change is noticed after at most a tenth of the time of the step, or 5 s.
        time.sleep(min(max(SHORTEST_PAUSE, (now - last_change) / 10), LONGEST_PAUSE))


@contextmanager
def _screen(session: "Session", console: "Console") -> Iterator[Show]:
    """Yield a function that shows a snapshot: in place on a terminal, else a line for each change."""

    def print_changes(before: Snapshot | None, after: Snapshot) -> None:
        now = datetime.now(UTC)
        for line in changes(before, after, now):
            console.print(stamped(line, now), markup=False, highlight=False, soft_wrap=True)

    if not console.is_interactive:
        yield print_changes
        return
    from ml_pipeline.executions.live_table import live_table  # noqa: PLC0415 - not needed in a log

    with live_table(session, console) as show:

        def print_and_show(before: Snapshot | None, after: Snapshot) -> None:
            print_changes(before, after)
            show(after)

        yield print_and_show
