"""The mends of all types, by type."""

from helpers.local_aws.cloudformation import (
    alarms,
    ec2,
    keys_and_roles,
    logs,
    nested_stacks,
    s3,
    ssm,
    studio,
)
from helpers.local_aws.cloudformation.resources import Mend

MENDS: dict[str, Mend] = {
    type_: mend
    for module in (alarms, ec2, keys_and_roles, logs, nested_stacks, s3, ssm, studio)
    for type_, mend in module.MENDS.items()
}


def mend_of(resource_type: str) -> Mend:
    """Return the mend of a type; one that mends nothing where there is none."""
    return MENDS.get(resource_type, Mend())
