"""Change sets: CloudFormation computes the changes before they are made."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.infra.stacks.changes import PlannedChange, planned_change
from helpers.infra.stacks.status import IN_PROGRESS, find_stack
from helpers.infra.stacks.waiting import Polling, poll

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.literals import ChangeSetTypeType
    from types_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef, ResourceToImportTypeDef

    from helpers.infra.stacks.configuration import StackConfiguration

_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_OUTDATED = frozenset({"InvalidChangeSetStatus", "InvalidChangeSetStatusException", "ChangeSetNotFound"})


PLAN = "plan"
"""How the names of change sets begin that nobody executes."""
_PLANS_LAST = timedelta(hours=1)
"""Longer than any plan: one that is older was killed."""


class OutdatedError(UserError):
    """A stack has been changed since changes to it were computed."""


@dataclass(frozen=True)
class PlannedChangeSet:
    """A change set that CloudFormation has computed."""

    id: str
    stack_id: str
    stack_name: str
    changes: tuple[PlannedChange, ...]
    is_empty: bool
    """Nothing at all would change. (Without changes to resources there may be some to outputs or tags.)"""
    kind: "ChangeSetTypeType" = "CREATE"


def create_change_set(
    cloudformation: "CloudFormationClient",
    configuration: "StackConfiguration",
    kind: "ChangeSetTypeType",
    polling: Polling,
    to_import: "Sequence[ResourceToImportTypeDef]" = (),
    purpose: str = "change",
) -> PlannedChangeSet:
    """Create a change set and wait until CloudFormation has computed it.

    Args:
        cloudformation: where the stack is, or will be.
        configuration: what it is to be.
        kind: what is to be done.
        polling: how to wait.
        to_import: the resources that the stack takes over, for kind IMPORT.
        purpose: how its name begins; who may only plan makes and deletes those that begin with `plan` alone.

    Raises:
        UserError: CloudFormation rejects it; nothing of it is left behind.
    """
    imports: dict[str, Any] = {"ResourcesToImport": to_import} if to_import else {}
    created = cloudformation.create_change_set(
        StackName=configuration.name,
        ChangeSetName=f"{purpose}-{uuid.uuid4()}",
        ChangeSetType=kind,
        TemplateBody=configuration.template,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in configuration.parameters.items()
        ],
        Tags=[{"Key": key, "Value": value} for key, value in configuration.tags.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],  # policies name roles before there are any
        **imports,
    )

    def ask() -> "DescribeChangeSetOutputTypeDef | None":
        answer = cloudformation.describe_change_set(ChangeSetName=created["Id"])
        return answer if answer["Status"] in {"CREATE_COMPLETE", "FAILED"} else None

    planned = PlannedChangeSet(
        created["Id"], created["StackId"], configuration.name, (), is_empty=True, kind=kind
    )
    try:
        answer = poll(ask, f"the change set of {configuration.name}", polling)
    except BaseException:
        discard(cloudformation, planned)
        raise
    reason = answer.get("StatusReason", "")
    if answer["Status"] == "FAILED" and not any(text in reason for text in _NO_CHANGES):
        discard(cloudformation, planned)
        raise UserError(
            f"CloudFormation rejects the changes to {configuration.name}: {reason}",
            hint="Correct the template or its parameters in infra/, then run the command again",
        )
    if answer["Status"] == "FAILED":
        return planned
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=created["Id"])
    changes = [
        change["ResourceChange"] for page in pages for change in page["Changes"] if "ResourceChange" in change
    ]
    return PlannedChangeSet(
        created["Id"],
        created["StackId"],
        configuration.name,
        tuple(map(planned_change, changes)),
        is_empty=False,
        kind=kind,
    )


def execute(cloudformation: "CloudFormationClient", planned: PlannedChangeSet) -> None:
    """Execute a change set.

    Raises:
        OutdatedError: the stack has been changed since, so that what was shown is not what would be done.
    """
    try:
        cloudformation.execute_change_set(ChangeSetName=planned.id)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in _OUTDATED or f"{IN_PROGRESS} state" in message:
            raise OutdatedError(
                f"{planned.stack_name} has been changed since these changes were computed. They are out of "
                f"date and were not made ({message})",
                hint="Run the command again",
            ) from error
        raise


def discard_killed_plans(cloudformation: "CloudFormationClient", stack_name: str) -> None:
    """Delete the change sets that plans of a stack left behind when they were killed."""
    pages = cloudformation.get_paginator("list_change_sets").paginate(StackName=stack_name)
    for summary in (each for page in pages for each in page["Summaries"]):
        age = datetime.now(UTC) - summary["CreationTime"]
        if summary["ChangeSetName"].startswith(f"{PLAN}-") and age > _PLANS_LAST:
            cloudformation.delete_change_set(ChangeSetName=summary["ChangeSetId"])


def discard(cloudformation: "CloudFormationClient", planned: PlannedChangeSet) -> None:
    """Delete a change set, and the empty stack that the first one of a new stack leaves behind.

    A stack in review for which others, too, have computed changes is left to them.
    """
    cloudformation.delete_change_set(ChangeSetName=planned.id)
    stack = find_stack(cloudformation, planned.stack_id)
    if stack is None or stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        return
    others = cloudformation.list_change_sets(StackName=planned.stack_id)["Summaries"]
    if not [other for other in others if other.get("ChangeSetId") != planned.id]:
        try:
            cloudformation.delete_stack(StackName=planned.stack_id)
        except ClientError as error:
            # Who may only plan may not delete stacks; an empty one is in no deployment's way.
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
