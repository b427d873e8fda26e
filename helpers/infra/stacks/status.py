"""The statuses of a stack, and the operations that each allows."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.infra.stacks.configuration import parse_template

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef, StackTypeDef

IN_PROGRESS = "_IN_PROGRESS"
SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"})


class Readiness(Enum):
    """What a deployment does with a stack, depending on its status."""

    CREATE = auto()
    """The stack does not exist, or is in review: it has change sets, but no resources yet."""
    RECREATE = auto()
    """The creation of the stack failed, so it must be deleted first."""
    UPDATE = auto()


def find_stack(cloudformation: "CloudFormationClient", name_or_id: str) -> "StackTypeDef | None":
    """Return a stack, or None if it does not exist."""
    try:
        return cloudformation.describe_stacks(StackName=name_or_id)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise


def stack_resources(
    cloudformation: "CloudFormationClient", name_or_id: str
) -> list["StackResourceSummaryTypeDef"]:
    """Return the resources of a stack; a deleted stack is found by its ID for 90 days."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name_or_id)
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def processed_resources(cloudformation: "CloudFormationClient", name_or_id: str) -> Mapping[str, Any]:
    """Return the resources in the processed template of a stack, in which transforms are resolved."""
    body: Any = cloudformation.get_template(StackName=name_or_id, TemplateStage="Processed")["TemplateBody"]
    # boto3 parses a template in JSON.
    template: Mapping[str, Any] = parse_template(body) if isinstance(body, str) else body
    resources: Mapping[str, Any] = template.get("Resources", {})
    return resources


def readiness(stack: "StackTypeDef | None") -> Readiness:
    """Return what a deployment does with a stack that no operation is in progress on.

    Raises:
        UserError: the stack needs a manual fix.
    """
    if stack is None:
        return Readiness.CREATE
    name, status = stack["StackName"], stack["StackStatus"]
    match status:
        case "REVIEW_IN_PROGRESS":
            return Readiness.CREATE
        case "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED":
            return Readiness.RECREATE
        case "DELETE_FAILED":
            raise UserError(f"The deletion of {name} failed", hint="Complete it with: make teardown")
        case "UPDATE_ROLLBACK_FAILED":
            raise UserError(
                f"{name} could not be rolled back and cannot be changed",
                hint="Correct the cause that its events name, then run: aws cloudformation "
                f"continue-update-rollback --stack-name {name}",
            )
    return Readiness.UPDATE


def is_changing(stack: "StackTypeDef") -> bool:
    """Return whether an operation is in progress on a stack; a stack in review has none."""
    status = stack["StackStatus"]
    return status.endswith(IN_PROGRESS) and status != "REVIEW_IN_PROGRESS"
