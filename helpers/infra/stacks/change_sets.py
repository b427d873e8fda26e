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
"""The prefix of the names of change sets that are never executed."""
_PLANS_LAST = timedelta(hours=1)
"""Longer than any plan takes: the command that created an older change set was killed."""


class OutdatedError(UserError):
    """A stack was changed after the changes to it were computed."""


@dataclass(frozen=True)
class PlannedChangeSet:
    """A change set that CloudFormation has computed."""

    id: str
    stack_id: str
    stack_name: str
    changes: tuple[PlannedChange, ...]
    is_empty: bool
    """Whether nothing would change. Without changes to resources, outputs or tags can still change."""
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
        cloudformation: a client of the region of the stack.
        configuration: the stack to create or update.
        kind: whether the change set creates, updates or imports.
        polling: how often and how long to poll.
        to_import: the resources to import, if the kind is IMPORT.
        purpose: the prefix of its name. The plan role may only use the prefix `plan`.

    Raises:
        UserError: CloudFormation rejects the changes; the change set is deleted.
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
        Capabilities=["CAPABILITY_NAMED_IAM"],  # policies refer to roles by name
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
        OutdatedError: the stack has been changed since, so the changes shown are not those to be made.
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
    """Delete the change sets of a stack that were left behind by plans that were killed."""
    pages = cloudformation.get_paginator("list_change_sets").paginate(StackName=stack_name)
    for summary in (each for page in pages for each in page["Summaries"]):
        age = datetime.now(UTC) - summary["CreationTime"]
        if summary["ChangeSetName"].startswith(f"{PLAN}-") and age > _PLANS_LAST:
            cloudformation.delete_change_set(ChangeSetName=summary["ChangeSetId"])


def discard(cloudformation: "CloudFormationClient", planned: PlannedChangeSet) -> None:
    """Delete a change set, and the empty stack if the change set was to create one.

    The empty stack is kept if it has other change sets.
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
            # The plan role may not delete stacks. An empty stack does not prevent a deployment.
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
