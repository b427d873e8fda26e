"""Waits for CloudFormation by polling, and shows the progress."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from rich.markup import escape

from helpers.command_line import continuing_on_aws
from helpers.errors import UserError
from helpers.infra.stacks.status import IN_PROGRESS, SUCCEEDED, find_stack, is_changing

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

T = TypeVar("T")


@dataclass(frozen=True)
class Polling:
    """How often and how long to poll, in seconds."""

    interval: float = 2.0
    limit: float = 3600.0


READING = Polling(limit=900)
"""For commands that only read. The workflow job that plans times out after 20 minutes."""


def poll(ask: Callable[[], T | None], waiting_for: str, polling: Polling) -> T:
    """Call a function until it does not return None, and return its result.

    Raises:
        UserError: it still returns None at the limit.
    """
    end = time.monotonic() + polling.limit
    while (answer := ask()) is None:
        if time.monotonic() >= end:
            raise UserError(
                f"{waiting_for[0].upper()}{waiting_for[1:]} did not end within {polling.limit:g} s",
                hint="Run the command again to wait for it",
            )
        time.sleep(polling.interval)
    return answer


def wait_until_stable(
    cloudformation: "CloudFormationClient", name_or_id: str, polling: Polling
) -> "StackTypeDef | None":
    """Wait until no operation on a stack is in progress; return the stack, or None if it does not exist.

    Each status is printed to stderr, because stdout may be a document.

    Raises:
        UserError: the operation is still in progress at the limit.
    """
    shown = ""

    def ask() -> "tuple[StackTypeDef | None] | None":
        nonlocal shown
        stack = find_stack(cloudformation, name_or_id)
        if stack is None or not is_changing(stack):
            return (stack,)
        name, status = stack["StackName"], stack["StackStatus"]
        if status != shown:
            print(
                f"Waiting for {name} ({status}), for {polling.limit / 60:g} min at most. "
                f"Watch it with: {watch_command(name)}",
                file=sys.stderr,
                flush=True,
            )
        shown = status
        return None

    with continuing_on_aws(f"the operation on {name_or_id}", watch=watch_command(name_or_id)):
        (stack,) = poll(ask, f"the operation on {name_or_id}", polling)
    return stack


def when_stable(
    cloudformation: "CloudFormationClient",
    name_or_id: str,
    polling: Polling,
    act: "Callable[[StackTypeDef | None], T]",
) -> T:
    """Call a function with a stack that has no operation in progress, and again if one started meanwhile.

    Args:
        cloudformation: a client of the region of the stack.
        name_or_id: the name or ID of the stack.
        polling: how often and how long to poll.
        act: is called with the stack, or None if it does not exist; its result is returned.

    Raises:
        UserError: see `wait_until_stable`.
    """
    while True:
        stack = wait_until_stable(cloudformation, name_or_id, polling)
        try:
            return act(stack)
        except ClientError:
            if find_stack(cloudformation, name_or_id) == stack:
                raise


class EventFeed:
    """The events of a stack since the feed was created."""

    def __init__(self, cloudformation: "CloudFormationClient", stack_id: str):
        self._cloudformation = cloudformation
        self._stack_id = stack_id
        newest = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"][:1]
        self._newest = newest[0]["EventId"] if newest else None

    def take(self) -> list["StackEventTypeDef"]:
        """Return the events since the last call, the oldest first."""
        events: list[StackEventTypeDef] = []
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self._stack_id)
        for event in (event for page in pages for event in page["StackEvents"]):
            if event["EventId"] == self._newest:
                break
            events.append(event)
        if events:
            self._newest = events[0]["EventId"]
        return events[::-1]


def watch(
    feed: EventFeed, stack_name: str, console: "Console", polling: Polling, stop: str = ""
) -> list["StackEventTypeDef"]:
    """Show the events of an operation until it ends, and return them.

    The end is an event of the stack itself. The status of the stack can still be that of before the
    operation.

    Args:
        feed: the events.
        stack_name: the name of the stack.
        console: the console for events.
        polling: how often and how long to poll.
        stop: the command that stops the operation, if there is one.
    """
    events: list[StackEventTypeDef] = []

    def ask() -> bool | None:
        for event in feed.take():
            events.append(event)
            console.print(_line(event), highlight=False)
        return True if events and _is_end(events[-1]) else None

    with continuing_on_aws(f"the operation on {stack_name}", watch_command(stack_name), stop):
        poll(ask, f"the operation on {stack_name}", polling)
    return events


def first_failure(events: list["StackEventTypeDef"]) -> str | None:
    """Return the first failure of an operation, which is its root cause, or None if it succeeded."""
    status = events[-1].get("ResourceStatus", "")
    if status in SUCCEEDED:
        return None
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    causes = [event for event in failed if "cancelled" not in event.get("ResourceStatusReason", "").lower()]
    if not causes:
        return f"{status}: {events[-1].get('ResourceStatusReason', 'no reason given')}"
    first = causes[0]
    return (
        f"{status}. The first failure: {first.get('LogicalResourceId')} ({first.get('ResourceType')}) "
        f"{first.get('ResourceStatus')}: {first.get('ResourceStatusReason', 'no reason given')}"
    )


def _is_end(event: "StackEventTypeDef") -> bool:
    is_stack = event.get("PhysicalResourceId") == event["StackId"]
    return is_stack and not event.get("ResourceStatus", IN_PROGRESS).endswith(IN_PROGRESS)


def _line(event: "StackEventTypeDef") -> str:
    status = event.get("ResourceStatus", "")
    style = (
        "red"
        if "FAILED" in status or "ROLLBACK" in status
        else "yellow"
        if IN_PROGRESS in status
        else "green"
    )
    reason = event.get("ResourceStatusReason")
    return (
        f"{event['Timestamp']:%H:%M:%S} [{style}]{status:<28}[/] {event.get('LogicalResourceId')} "
        f"[dim]{event.get('ResourceType')}[/]" + (f" - {escape(reason)}" if reason else "")
    )


def watch_command(stack: str) -> str:
    """Return the command that shows the events of a stack."""
    return f"aws cloudformation describe-stack-events --stack-name {stack}"
