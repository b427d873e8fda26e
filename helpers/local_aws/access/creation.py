"""Checks requests that create a job, a model or a model package, as the service does.

The named network and keys must exist and fit together. The caller must be allowed to create the resource, to
pass its role, and to use the key of its volumes. SageMaker must be able to assume the role, and the role must
have access to the network and to the key of the outputs.
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
    """The parts of a create request that matter for its authorization.

    Attributes:
        action: such as `sagemaker:CreateProcessingJob`.
        arn: ARN of the resource to create.
        role_arn: ARN of the execution role, if the resource has one.
        passes_role: whether the request passes that role; a transform job uses the role of its model.
        subnets: IDs of subnets, like `security_groups` of groups; without subnets, the resource is in no VPC.
        volume_key: ID, ARN or alias of a KMS key, like `output_key`.
        isolated: `EnableNetworkIsolation`, if given.
        encrypts_traffic: `EnableInterContainerTrafficEncryption`, if given.
        condition_keys: the keys that only this kind of request has.
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
    """Check a create request against the resources and the policies of the account.

    Args:
        creation: the resource to create.
        region: region of the resource.
        caller: ARN of the calling role; None for the account itself, which only key policies can restrict.

    Raises:
        ApiError: ValidationException if a named resource does not exist or does not fit;
            AccessDeniedException if the caller is not authorized.
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
    """Return the condition keys that SageMaker sends. Keys for KMS have two spellings; both are sent.

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
