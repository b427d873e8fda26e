"""The mends of all types, by type."""

from helpers.local_aws.cloudformation import ec2, keys_and_roles, logs, s3
from helpers.local_aws.cloudformation.resources import Mend

MENDS: dict[str, Mend] = {**s3.MENDS, **ec2.MENDS, **keys_and_roles.MENDS, **logs.MENDS}


def mend_of(resource_type: str) -> Mend:
    """Return the mend of a type; one that mends nothing where there is none."""
    return MENDS.get(resource_type, Mend())
