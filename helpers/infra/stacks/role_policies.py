"""Policies that were added manually to roles, in addition to those of their templates.

CloudFormation compares only the properties that a template sets. A role whose permissions are defined in
separate policy resources sets neither Policies nor ManagedPolicyArns, so CloudFormation does not report
another policy on it as drift.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.infra.stacks.status import processed_resources, stack_resources

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_iam import IAMClient

ROLE, MANAGED_POLICY = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"


@dataclass(frozen=True)
class AddedPolicies:
    """The policies of a role that no template defines, or why they could not be read."""

    stack: str
    logical_id: str
    inline: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    unchecked: str = ""


def added_policies(
    cloudformation: "CloudFormationClient", iam: "IAMClient", names: Sequence[str]
) -> Iterator[AddedPolicies]:
    """Yield the roles of stacks with policies that none of the stacks defines.

    Args:
        cloudformation: a client.
        iam: a client.
        names: all existing stacks of an environment, because a stack can attach policies to roles of another.
    """
    resources = {name: stack_resources(cloudformation, name) for name in names}
    made = {
        each.get("PhysicalResourceId", "")
        for of_stack in resources.values()
        for each in of_stack
        if each["ResourceType"] == MANAGED_POLICY
    }
    for name, of_stack in resources.items():
        roles = [each for each in of_stack if each["ResourceType"] == ROLE]
        definitions = processed_resources(cloudformation, name) if roles else {}
        for each in roles:
            logical_id, role = each["LogicalResourceId"], each.get("PhysicalResourceId", "")
            try:
                inline, attached = _inline(iam, role), _attached(iam, role)
            except iam.exceptions.NoSuchEntityException:
                continue  # CloudFormation reports that it was deleted
            except ClientError as error:
                yield AddedPolicies(
                    name, logical_id, unchecked=error.response["Error"].get("Message", str(error))
                )
                continue
            # CloudFormation compares the properties that a template sets.
            declared = definitions.get(logical_id, {}).get("Properties", {})
            found = AddedPolicies(
                name,
                logical_id,
                inline=() if "Policies" in declared else tuple(inline),
                attached=()
                if "ManagedPolicyArns" in declared
                else tuple(a for a in attached if a not in made),
            )
            if found.inline or found.attached:
                yield found


def _inline(iam: "IAMClient", role: str) -> list[str]:
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    return [name for page in pages for name in page["PolicyNames"]]


def _attached(iam: "IAMClient", role: str) -> list[str]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return [each.get("PolicyArn", "") for page in pages for each in page["AttachedPolicies"]]
