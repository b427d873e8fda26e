"""Looks up parameter values that differ by region."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from helpers.environments import file_of
from helpers.errors import UserError
from helpers.infra.stacks.configuration import S3_PREFIX_LIST

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

    from helpers.infra.stacks.configuration import StackConfiguration


def with_regional_values(
    ec2: "EC2Client", stacks: Iterable["StackConfiguration"]
) -> tuple["StackConfiguration", ...]:
    """Return stacks with the parameter values of their region.

    Args:
        ec2: a client of the region, which is used only if a stack has such a parameter.
        stacks: the stacks of an environment.

    Raises:
        UserError: a parameter file has the value of another region, or EC2 has none.
    """
    stacks = tuple(stacks)
    if not any(S3_PREFIX_LIST in {*stack.needs, *stack.parameters} for stack in stacks):
        return stacks
    region = ec2.meta.region_name
    found = _prefix_list_of_s3(ec2, region)
    for stack in stacks:
        given = stack.parameters.get(S3_PREFIX_LIST, found)
        if given != found:
            raise UserError(
                f"infra/parameters/{file_of(stack.environment)}: {S3_PREFIX_LIST} is {given}, but that of "
                f"{region} is {found}",
                hint=f"Remove {S3_PREFIX_LIST} from the file: the value is looked up",
            )
    return tuple(stack.with_outputs({S3_PREFIX_LIST: found}) for stack in stacks)


def _prefix_list_of_s3(ec2: "EC2Client", region: str) -> str:
    """Return the ID of the AWS-managed prefix list of S3 in a region.

    https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
    """
    name = f"com.amazonaws.{region}.s3"
    lists = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    if not lists["PrefixLists"]:
        raise UserError(
            f"EC2 has no managed prefix list {name}, the addresses of S3 in {region}",
            hint=f"Check the region, or set {S3_PREFIX_LIST} in the parameter file of the environment",
        )
    return lists["PrefixLists"][0]["PrefixListId"]
