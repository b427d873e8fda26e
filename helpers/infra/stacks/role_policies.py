"""Policies that were added manually to roles, in addition to those of their templates.

CloudFormation compares the properties that a template sets. A role that has its rights from policies of their
own sets neither Policies nor ManagedPolicyArns, so another policy on it is not drift to CloudFormation.
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
    """What a role has beyond the templates, or why it could not be asked."""

    stack: str
    logical_id: str
    inline: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    unchecked: str = ""


def added_policies(
    cloudformation: "CloudFormationClient", iam: "IAMClient", names: Sequence[str]
) -> Iterator[AddedPolicies]:
    """Yield the roles of stacks that have policies which none of the stacks has made.

    Args:
        cloudformation: a client.
        iam: a client.
        names: of all stacks of an environment that are there: one gives policies to the roles of another.
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
            # What a template sets, CloudFormation compares.
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
