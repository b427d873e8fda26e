"""What the service checks before it creates a job, a model or a model package.

That the network and the keys that it names are there and fit together, that whoever asks may create this
and hand it its role and the key of its volumes, that SageMaker may assume this role, and that the role can
get into the network and use the key of the outputs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, document_of, refusal
from helpers.local_aws.access.principals import ACCOUNT_ROOT, Principal, find_principal
from helpers.local_aws.access.role_trust import SERVICE, RoleError, check_role_trust
from helpers.local_aws.api.response import ACCOUNT, ApiError

# What a job's role needs in a VPC, beside ec2:CreateNetworkInterface:
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


@dataclass(frozen=True)
class Creation:
    """What a request creates, as far as it matters to who may do it.

    Attributes:
        action: as `sagemaker:CreateProcessingJob`.
        arn: of what is created.
        role_arn: of the role that it acts with, where it has one.
        subnets: IDs, as are `security_groups`; without any it is in no VPC.
        volume_key: ID, ARN or alias, as is `output_key`.
        isolated: `EnableNetworkIsolation`, where it is given.
        encrypts_traffic: `EnableInterContainerTrafficEncryption`, where it is given.
        condition_keys: those that only this kind of request has.
    """

    action: str
    arn: str
    role_arn: str | None = None
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    volume_key: str | None = None
    output_key: str | None = None
    isolated: bool | None = None
    encrypts_traffic: bool | None = None
    instance_types: Sequence[str] = ()
    tags: Sequence[Mapping[str, str]] = ()
    condition_keys: Mapping[str, object] = field(default_factory=dict)


def authorize_creation(creation: Creation, region: str, caller: str | None) -> None:
    """Check what a request would create against what is in the account.

    Args:
        creation: what the request would create.
        region: where.
        caller: ARN of the role that asks; None asks with the rights of the account itself, which may do all
            that no key's policy keeps from it.

    Raises:
        ApiError: ValidationException for what is not there or does not fit, AccessDeniedException for what
            the caller may not do.
    """
    if creation.role_arn:
        _check_trust(creation.role_arn, region)
    network = _Network(creation, region)
    volume_key, output_key = _key(creation.volume_key, region), _key(creation.output_key, region)
    asking = _who(caller or ACCOUNT_ROOT)
    keys = _condition_keys(creation, volume_key, output_key)
    _require(asking, creation.action, creation.arn, keys)
    if creation.tags:
        _require(asking, "sagemaker:AddTags", creation.arn, keys)
    if creation.role_arn:
        _require(asking, "iam:PassRole", creation.role_arn, {"iam:PassedToService": SERVICE})
    if volume_key:
        grant = {"kms:ViaService": f"ec2.{region}.amazonaws.com", "kms:GrantIsForAWSResource": "true"}
        _require(asking, "kms:CreateGrant", volume_key.arn, grant, volume_key)
    if creation.role_arn:
        role = _who(creation.role_arn)
        for action, resource, keys in network.requests():
            _require(role, action, resource, keys, code="ValidationException")
        if output_key:
            through_s3 = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
            _require(
                role,
                "kms:GenerateDataKey",
                output_key.arn,
                through_s3,
                output_key,
                code="ValidationException",
            )


def authorize_action(
    caller: str | None, action: str, resource: str, condition_keys: Mapping[str, object] | None = None
) -> None:
    """Check whether who asks may do something that creates nothing.

    Raises:
        ApiError: AccessDeniedException.
    """
    _require(_who(caller or ACCOUNT_ROOT), action, resource, condition_keys or {})


class _Network:
    """Subnets and security groups, each of which is there, all in one VPC."""

    def __init__(self, creation: Creation, region: str):
        self.subnets, self.groups = creation.subnets, creation.security_groups
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
        """Yield what is asked of EC2 for a network interface: action, resource and condition keys."""
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


def _key(name: str | None, region: str) -> Any:
    """Return the key of an id, an ARN or an alias, which must be of use."""
    if not name:
        return None
    backend = kms_backends[ACCOUNT][region]
    alias = backend.get_alias_name(name)
    by_alias = alias.startswith("alias/")
    key_id = backend.get_key_id_from_alias(alias) if by_alias else backend.get_key_id(name)
    key = backend.keys.get(key_id or "")
    foreign = name.startswith("arn:") and name.split(":")[3:5] != [region, ACCOUNT]
    if key is None or foreign:
        raise _invalid(f"Invalid KMS key: Key '{name}' does not exist")
    if key.key_state != "Enabled":
        state = {"PendingDeletion": "pending deletion"}.get(key.key_state, key.key_state.lower())
        raise _invalid(f"Invalid KMS key: {key.arn} is {state}.")
    return key


def _condition_keys(creation: Creation, volume_key: Any, output_key: Any) -> Mapping[str, object]:
    """Return the condition keys that SageMaker sends. Those of KMS keys have two spellings; both are sent.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    tags = {tag["Key"]: tag["Value"] for tag in creation.tags}
    volume, output = (getattr(key, "arn", None) for key in (volume_key, output_key))
    encrypted, isolated = creation.encrypts_traffic, creation.isolated
    return {
        "sagemaker:VpcSubnets": list(creation.subnets),
        "sagemaker:VpcSecurityGroupIds": list(creation.security_groups),
        "sagemaker:VolumeKmsKey": volume,
        "sagemaker:VolumeKmsKeyArn": volume,
        "sagemaker:OutputKmsKey": output,
        "sagemaker:OutputKmsKeyArn": output,
        "sagemaker:InterContainerTrafficEncryption": None if encrypted is None else str(encrypted).lower(),
        "sagemaker:NetworkIsolation": None if isolated is None else str(isolated).lower(),
        "sagemaker:InstanceTypes": list(creation.instance_types),
        "aws:TagKeys": list(tags),
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        **creation.condition_keys,
    }


def _require(
    principal: Principal,
    action: str,
    resource: str,
    keys: Mapping[str, object],
    key: Any = None,
    code: str = "AccessDeniedException",
) -> None:
    context = context_of({"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": ACCOUNT, **keys})
    asked = AccessRequest(principal.arn, action, resource, ACCOUNT, context)
    found = refusal(asked, replace(principal.policies, resource=document_of(key.policy) if key else None))
    if found:
        text = f"User: {principal.user} is not authorized to perform: {action} on resource: {resource} "
        raise ApiError(code, text + found.because(action))


def _check_trust(role_arn: str, region: str) -> None:
    try:
        check_role_trust(role_arn, region)
    except RoleError as error:
        raise _invalid(str(error)) from error


def _who(arn: str) -> Principal:
    found = find_principal(arn)
    if found is None:
        raise _invalid(f"The role {arn} does not exist")
    return found


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
