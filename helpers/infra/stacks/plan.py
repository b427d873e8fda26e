"""Plans a deployment: shows its changes without making them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.infra.stacks.change_sets import (
    PLAN,
    PlannedChangeSet,
    create_change_set,
    discard,
    discard_killed_plans,
)
from helpers.infra.stacks.changes import PlannedChange, table_of
from helpers.infra.stacks.outputs import outputs_if_deployed
from helpers.infra.stacks.previews import with_deployed_expiry
from helpers.infra.stacks.status import Readiness, readiness
from helpers.infra.stacks.waiting import READING, Polling, when_stable

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.literals import ChangeSetTypeType
    from types_boto3_cloudformation.type_defs import StackTypeDef

    from helpers.infra.stacks.configuration import StackConfiguration


@dataclass(frozen=True)
class StackPlan:
    """What a deployment would change in a stack."""

    name: str
    changes: tuple[PlannedChange, ...] = ()
    note: str = ""
    """The text to show if there are no changes to resources."""
    is_change: bool = True


def plan_all(
    cloudformation: "CloudFormationClient",
    stacks: Sequence["StackConfiguration"],
    polling: Polling | None = None,
) -> Iterator[StackPlan]:
    """Yield what a deployment would change in each stack of an environment.

    The function waits for operations in progress, and deletes its change sets.

    Raises:
        UserError: CloudFormation rejects changes, a stack needs a manual fix, or an operation does not end.
    """
    outputs: dict[str, str] = {}
    for stack in stacks:
        yield _plan(cloudformation, stack.with_outputs(outputs), polling or READING)
        outputs |= outputs_if_deployed(cloudformation, stack.name)


def _plan(
    cloudformation: "CloudFormationClient", configuration: "StackConfiguration", polling: Polling
) -> StackPlan:
    name = configuration.name
    if configuration.needs:
        # CloudFormation cannot compute changes for a stack whose parameters have no values yet.
        wanted = ", ".join(sorted(configuration.needs))
        return StackPlan(name, note=f"{name} is new: all its resources will be added. It waits for {wanted}.")

    def plan(stack: "StackTypeDef | None") -> StackPlan:
        ready = readiness(stack)
        if stack and ready is Readiness.RECREATE:
            return StackPlan(
                name,
                note=f"{name} is in {stack['StackStatus']} because its creation failed: a deployment "
                "deletes it and creates it again, with all its resources.",
            )
        if stack:
            discard_killed_plans(cloudformation, name)
        kind: ChangeSetTypeType = "UPDATE" if ready is Readiness.UPDATE else "CREATE"
        planned = create_change_set(
            cloudformation, with_deployed_expiry(configuration, stack), kind, polling, purpose=PLAN
        )
        discard(cloudformation, planned)
        return _as_plan(planned)

    return when_stable(cloudformation, name, polling, plan)


def _as_plan(planned: PlannedChangeSet) -> StackPlan:
    name = planned.stack_name
    if planned.is_empty:
        return StackPlan(name, note=f"No changes: {name} matches the template.", is_change=False)
    if planned.changes:
        return StackPlan(name, planned.changes)
    return StackPlan(name, note=f"No changes to resources of {name}, only to its outputs, tags or policies.")


def show(planned: PlannedChangeSet, console: "Console") -> None:
    """Print what a change set would change."""
    show_plan(_as_plan(planned), console)


def show_plan(plan: StackPlan, console: "Console") -> None:
    """Print what a deployment would change in a stack."""
    console.print(table_of(plan.changes, plan.name) if plan.changes else plan.note)
