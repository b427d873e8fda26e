"""Drift of stacks: differences from the repository, and from what CloudFormation has deployed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from rich.markup import escape
from rich.table import Table

from helpers.infra.stacks.change_sets import PLAN, create_change_set, discard
from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.outputs import outputs_if_deployed
from helpers.infra.stacks.previews import with_deployed_expiry
from helpers.infra.stacks.role_policies import ROLE, AddedPolicies, added_policies
from helpers.infra.stacks.status import Readiness, readiness, stack_resources
from helpers.infra.stacks.waiting import READING, Polling, poll, when_stable

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import (
        DescribeStackDriftDetectionStatusOutputTypeDef,
        StackResourceDriftTypeDef,
        StackTypeDef,
    )
    from types_boto3_iam import IAMClient

    from helpers.infra.stacks.configuration import StackConfiguration

DRIFTED = 3
"""Exit code of a command that found drift, or could not read all resources."""

_STACK = "AWS::CloudFormation::Stack"
_COMPARED = frozenset({"DELETED", "IN_SYNC", "MODIFIED"})
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class PropertyDrift:
    """A property that differs from the template."""

    path: str
    expected: str
    actual: str


@dataclass(frozen=True)
class ResourceDrift:
    """A resource that someone changed or deleted by hand."""

    logical_id: str
    type: str
    status: str
    differences: tuple[PropertyDrift, ...]


@dataclass(frozen=True)
class UncheckedResource:
    """A resource that could not be read, so that it is not known whether it has drift."""

    logical_id: str
    type: str
    reason: str


@dataclass(frozen=True)
class StackDrift:
    """What a deployment would change in a stack, what was changed by hand, and what could not be read."""

    name: str
    changes: tuple[PlannedChange, ...]
    resources: tuple[ResourceDrift, ...] = ()
    compared: int = 0
    existing: int = 0
    """The number of resources. CloudFormation can compare only some resource types."""
    unchecked: tuple[UncheckedResource, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any drift, or may be."""
        return bool(self.changes or self.resources or self.unchecked)


def find_drift(
    cloudformation: "CloudFormationClient",
    iam: "IAMClient",
    stacks: Sequence["StackConfiguration"],
    polling: Polling | None = None,
) -> list[StackDrift]:
    """Return the drift of each stack of an environment, and change nothing.

    The function waits for operations in progress. The result includes resources that cannot be read.

    Raises:
        UserError: an operation on a stack does not end, or CloudFormation could not compute changes.
    """
    found: list[StackDrift] = []
    outputs: dict[str, str] = {}
    for stack in stacks:
        found.append(_drift_of(cloudformation, stack.with_outputs(outputs), polling or READING))
        outputs |= outputs_if_deployed(cloudformation, stack.name)
    deployed = [stack.name for stack in found if stack.existing]
    added = list(added_policies(cloudformation, iam, deployed))
    return [_with_added(stack, [each for each in added if each.stack == stack.name]) for stack in found]


def _with_added(stack: StackDrift, added: Iterable[AddedPolicies]) -> StackDrift:
    """Return the drift of a stack, including the policies that were added to its roles."""
    resources, unchecked = {each.logical_id: each for each in stack.resources}, list(stack.unchecked)
    for role in added:
        if role.unchecked:
            unchecked.append(UncheckedResource(role.logical_id, ROLE, role.unchecked))
            continue
        known = resources.get(role.logical_id, ResourceDrift(role.logical_id, ROLE, "MODIFIED", ()))
        differences = (
            *(PropertyDrift("/Policies", "null", name) for name in role.inline),
            *(PropertyDrift("/ManagedPolicyArns", "null", arn) for arn in role.attached),
        )
        resources[role.logical_id] = replace(known, differences=known.differences + differences)
    return replace(stack, resources=tuple(resources.values()), unchecked=tuple(unchecked))


def _drift_of(
    cloudformation: "CloudFormationClient", stack: "StackConfiguration", polling: Polling
) -> StackDrift:
    def compare(there: "StackTypeDef | None") -> StackDrift:
        return _stack_drift(cloudformation, stack, there, polling)

    return when_stable(cloudformation, stack.name, polling, compare)


def _stack_drift(
    cloudformation: "CloudFormationClient",
    stack: "StackConfiguration",
    there: "StackTypeDef | None",
    polling: Polling,
) -> StackDrift:
    if there and there["StackStatus"] == "DELETE_FAILED":  # nothing to compare; continue with other stacks
        why = "its deletion failed: run make teardown"
        return StackDrift(stack.name, (PlannedChange("add", stack.name, _STACK, why),))
    ready = readiness(there)
    if there is None or ready is not Readiness.UPDATE:
        failed = there if ready is Readiness.RECREATE else None
        why = f"its creation failed: {failed['StackStatus']}" if failed else "the stack is missing"
        return StackDrift(stack.name, (PlannedChange("add", stack.name, _STACK, why),))
    changes = _changes(cloudformation, with_deployed_expiry(stack, there), polling)
    drifts, unchecked = _detect(cloudformation, stack.name, polling)
    return StackDrift(
        stack.name,
        changes,
        tuple(map(_resource_drift, (each for each in drifts if _is_drifted(each)))),
        compared=sum(each["StackResourceDriftStatus"] in _COMPARED for each in drifts),
        existing=len(stack_resources(cloudformation, stack.name)),
        unchecked=tuple(unchecked),
    )


def _changes(
    cloudformation: "CloudFormationClient", stack: "StackConfiguration", polling: Polling
) -> tuple[PlannedChange, ...]:
    if stack.needs:
        wanted = f"waits for {', '.join(sorted(stack.needs))} of a stack that is missing"
        return (PlannedChange("change", stack.name, _STACK, wanted),)
    planned = create_change_set(cloudformation, stack, "UPDATE", polling, purpose=PLAN)
    discard(cloudformation, planned)
    if planned.is_empty or planned.changes:
        return planned.changes
    return (PlannedChange("change", stack.name, _STACK, "outputs, tags or policies"),)


def _detect(
    cloudformation: "CloudFormationClient", name: str, polling: Polling
) -> tuple[list["StackResourceDriftTypeDef"], list[UncheckedResource]]:
    """Return the drift of resources, and those that could not be read, of which one fails the detection."""
    detection = cloudformation.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

    def ask() -> "DescribeStackDriftDetectionStatusOutputTypeDef | None":
        answer = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return None if answer["DetectionStatus"] == "DETECTION_IN_PROGRESS" else answer

    answer = poll(ask, f"the drift detection of {name}", polling)
    failed = answer["DetectionStatus"] == "DETECTION_FAILED"
    reason = answer.get("DetectionStatusReason", "no reason given")
    unchecked = [UncheckedResource(name, _STACK, reason)] if failed else []
    try:
        drifts = _drifts(cloudformation, name)
    except ClientError:
        if not failed:
            raise
        return [], unchecked
    unchecked += [
        UncheckedResource(
            each["LogicalResourceId"], each["ResourceType"], each.get("DriftStatusReason", reason)
        )
        for each in drifts
        if each["StackResourceDriftStatus"] == "UNKNOWN"
    ]
    return drifts, unchecked


def _drifts(cloudformation: "CloudFormationClient", name: str) -> list["StackResourceDriftTypeDef"]:
    page = cloudformation.describe_stack_resource_drifts(StackName=name)
    drifts = list(page["StackResourceDrifts"])
    while token := page.get("NextToken"):
        page = cloudformation.describe_stack_resource_drifts(StackName=name, NextToken=token)
        drifts += page["StackResourceDrifts"]
    return drifts


def _is_drifted(drift: "StackResourceDriftTypeDef") -> bool:
    return drift["StackResourceDriftStatus"] in {"DELETED", "MODIFIED"}


def _resource_drift(drift: "StackResourceDriftTypeDef") -> ResourceDrift:
    differences = tuple(
        PropertyDrift(each["PropertyPath"], each["ExpectedValue"], each["ActualValue"])
        for each in drift.get("PropertyDifferences", [])
    )
    return ResourceDrift(
        drift["LogicalResourceId"], drift["ResourceType"], drift["StackResourceDriftStatus"], differences
    )


def as_document(environment: str, found: Sequence[StackDrift]) -> dict[str, Any]:
    """Return the drift as a JSON document; a resource that could not be compared counts as drift."""
    return {
        "environment": environment,
        "drifted": any(found),
        "stacks": [
            {
                "name": stack.name,
                "changes": [
                    {
                        "action": change.action,
                        "logical_id": change.logical_id,
                        "type": change.resource_type,
                        "what": change.what,
                    }
                    for change in stack.changes
                ],
                "resources": [asdict(resource) for resource in stack.resources],
                "not_compared": [asdict(resource) for resource in stack.unchecked],
            }
            for stack in found
        ],
    }


def show_drift(environment: str, found: Sequence[StackDrift], console: "Console") -> None:
    """Print a table for each stack with drift, and a summary."""
    for stack in found:
        if stack:
            console.print(_table(stack))
    drifted = [stack.name for stack in found if stack]
    compared = f"{sum(each.compared for each in found)} of {sum(each.existing for each in found)} resources"
    if not drifted:
        text = f"no drift in {len(found)} stacks ({compared} compared)."
    else:
        text = (
            f"drift in {', '.join(drifted)} ({compared} compared). Deploy what is not deployed "
            f"with: make deploy ENV={environment}. Undo what was changed by hand, or add it to the template; "
            "a deployment does not undo it."
        )
    if unchecked := [stack.name for stack in found if stack.unchecked]:
        text += (
            f" Not all of {', '.join(unchecked)} could be checked: fix this, because there may be more drift."
        )
    console.print(f"{environment}: {text}", highlight=False)


def _table(stack: StackDrift) -> Table:
    table = Table(title=f"Drift of {stack.name}", title_justify="left")
    for heading in ("Resource", "Type", "Drift", "Property: expected -> actual"):
        table.add_column(heading, overflow="fold")
    for row in _rows(stack):
        table.add_row(*map(escape, row))
    return table


def _rows(stack: StackDrift) -> Iterator[tuple[str, str, str, str]]:
    for change in stack.changes:
        yield change.logical_id, change.resource_type, f"not deployed: {change.action}", change.what
    for resource in stack.resources:
        kind = f"{resource.status.lower()} by hand"
        differences = [f"{d.path}: {_short(d.expected)} -> {_short(d.actual)}" for d in resource.differences]
        yield resource.logical_id, resource.type, kind, "\n".join(differences)
    for unchecked in stack.unchecked:
        yield unchecked.logical_id, unchecked.type, "not checked", unchecked.reason


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"
