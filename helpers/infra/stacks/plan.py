"""What a deployment would change; nothing is changed."""

from typing import TYPE_CHECKING

from helpers.infra.stacks.change_sets import PlannedChangeSet, create_change_set, discard
from helpers.infra.stacks.changes import table_of
from helpers.infra.stacks.previews import unrenewed
from helpers.infra.stacks.status import Readiness, find_stack, readiness
from helpers.infra.stacks.waiting import Polling

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.literals import ChangeSetTypeType

    from helpers.infra.stacks.configuration import StackConfiguration


def plan(
    cloudformation: "CloudFormationClient",
    configuration: "StackConfiguration",
    console: "Console",
    polling: Polling | None = None,
) -> None:
    """Show what a deployment would change, and leave nothing behind.

    Raises:
        UserError: CloudFormation refuses the changes, or the stack cannot be changed at present.
    """
    if configuration.needs:
        # CloudFormation computes no changes for a stack whose parameters have no values yet.
        wanted = ", ".join(sorted(configuration.needs))
        console.print(f"{configuration.name} is new, all of it is to add: it waits for {wanted}.")
        return
    stack = find_stack(cloudformation, configuration.name)
    ready = readiness(stack)
    if stack and ready is Readiness.RECREATE and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        console.print(
            f"{configuration.name} is in {stack['StackStatus']} since its creation failed: a deployment "
            "deletes it and creates it again, all of its resources."
        )
        return
    kind: ChangeSetTypeType = "UPDATE" if ready is Readiness.UPDATE else "CREATE"
    configuration = unrenewed(configuration, stack)
    planned = create_change_set(cloudformation, configuration, kind, polling or Polling())
    try:
        show(planned, console)
    finally:
        discard(cloudformation, planned)


def show(planned: PlannedChangeSet, console: "Console") -> None:
    """Print what a change set would change."""
    if planned.is_empty:
        console.print(f"No changes: {planned.stack_name} is as the template says.")
    elif planned.changes:
        console.print(table_of(planned.changes, planned.stack_name))
    else:
        console.print(
            f"No changes to resources of {planned.stack_name}, only to its outputs, tags or policies."
        )
