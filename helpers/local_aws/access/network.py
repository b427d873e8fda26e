"""Checks the network of a job or a model: that it exists, and which permissions its role needs in it."""

from collections.abc import Iterator, Mapping, Sequence

from moto.ec2.models import ec2_backends

from helpers.local_aws.api.response import ACCOUNT, ApiError

# Permissions of a job's role for a VPC, in addition to ec2:CreateNetworkInterface:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createprocessingjob-perms
_ON_INTERFACES = (
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_LOOKS = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


class Network:
    """Existing subnets and security groups in the same VPC."""

    def __init__(self, subnets: Sequence[str], groups: Sequence[str], region: str):
        self.subnets, self.groups = subnets, groups
        self._region = region
        backend = ec2_backends[ACCOUNT][region]
        known = {subnet.id: subnet.vpc_id for subnet in backend.describe_subnets()}
        vpc_of_group = {group_id: vpc_id for vpc_id, groups in backend.groups.items() for group_id in groups}
        for subnet in self.subnets:
            if subnet not in known:
                raise _invalid(f"The subnet ID '{subnet}' does not exist")
        for group in self.groups:
            if group not in vpc_of_group:
                raise _invalid(f"The security group '{group}' does not exist")
        vpcs = [*(known[subnet] for subnet in self.subnets), *(vpc_of_group[group] for group in self.groups)]
        if len({*vpcs}) > 1:
            named = ", ".join(map("{} in {}".format, [*self.subnets, *self.groups], vpcs))
            raise _invalid(f"The subnets and security groups belong to different VPCs: {named}")
        self._vpc = vpcs[0] if vpcs else ""

    def requests(self) -> Iterator[tuple[str, str, Mapping[str, object]]]:
        """Yield the EC2 requests for a network interface: action, resource and condition keys."""
        if not self.subnets:
            return
        prefix = f"arn:aws:ec2:{self._region}:{ACCOUNT}"
        vpc = {"ec2:Vpc": f"{prefix}:vpc/{self._vpc}"}
        create = "ec2:CreateNetworkInterface"
        for subnet in self.subnets:
            yield create, f"{prefix}:subnet/{subnet}", {**vpc, "ec2:SubnetID": subnet}
        for group in self.groups:
            yield create, f"{prefix}:security-group/{group}", vpc
        for action in (create, *_ON_INTERFACES):
            yield action, f"{prefix}:network-interface/*", vpc
        for action in _LOOKS:
            yield action, "*", {}


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
