"""What the service checks before it creates a job, a model or a model package.

That the network and the keys that it names are there and fit together, that whoever asks may create this
and hand it its role and the key of its volumes, that SageMaker may assume this role, and that the role can
get into the network and use the key of the outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.local_aws.access.authorization import principal_of, require
from helpers.local_aws.access.keys import find_key
from helpers.local_aws.access.network import Network
from helpers.local_aws.access.principals import ACCOUNT_ROOT
from helpers.local_aws.access.role_trust import SERVICE, RoleError, check_role_trust
from helpers.local_aws.api.response import ApiError


@dataclass(frozen=True)
class Creation:
    """What a request creates, as far as it matters to who may do it.

    Attributes:
        action: as `sagemaker:CreateProcessingJob`.
        arn: of what is created.
        role_arn: of the role that it acts with, where it has one.
        passes_role: whether the request hands over that role; a transform has its model's.
        subnets: IDs, as are `security_groups`; without any it is in no VPC.
        volume_key: ID, ARN or alias, as is `output_key`.
        isolated: `EnableNetworkIsolation`, where it is given.
        encrypts_traffic: `EnableInterContainerTrafficEncryption`, where it is given.
        condition_keys: those that only this kind of request has.
    """

    action: str
    arn: str
    role_arn: str | None = None
    passes_role: bool = True
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
    network = Network(creation.subnets, creation.security_groups, region)
    volume_key, output_key = find_key(creation.volume_key, region), find_key(creation.output_key, region)
    asking = principal_of(caller or ACCOUNT_ROOT)
    keys = _condition_keys(creation, volume_key, output_key)
    require(asking, creation.action, creation.arn, keys)
    if creation.tags:
        require(asking, "sagemaker:AddTags", creation.arn, keys)
    if creation.role_arn and creation.passes_role:
        require(asking, "iam:PassRole", creation.role_arn, {"iam:PassedToService": SERVICE})
    if volume_key:
        grant = {"kms:ViaService": f"ec2.{region}.amazonaws.com", "kms:GrantIsForAWSResource": "true"}
        require(asking, "kms:CreateGrant", volume_key.arn, grant, volume_key)
    if creation.role_arn:
        role = principal_of(creation.role_arn)
        for action, resource, keys in network.requests():
            require(role, action, resource, keys, code="ValidationException")
        if output_key:
            through_s3 = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
            require(
                role,
                "kms:GenerateDataKey",
                output_key.arn,
                through_s3,
                output_key,
                code="ValidationException",
            )


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


def _check_trust(role_arn: str, region: str) -> None:
    try:
        check_role_trust(role_arn, region)
    except RoleError as error:
        raise ApiError("ValidationException", str(error)) from error
