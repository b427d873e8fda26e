"""What resources are at this moment, in the words of a template; drift detection compares the two.

A reader returns the properties that it knows how to read, or None where the resource is gone. Types without a
reader are not checked, as types that the service does not support are not.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends

from helpers.local_aws.cloudformation.resources import Place
from helpers.local_aws.cloudformation.stack_resources import definitions_of

Reader = Callable[[Any, Place], Mapping[str, Any] | None]

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_RULE_TYPES = frozenset({"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"})


def _bucket(resource: Any, place: Place) -> Mapping[str, Any] | None:
    bucket = s3_backends[place.account][place.partition].buckets.get(resource.physical_resource_id)
    if bucket is None:
        return None
    block = bucket.public_access_block
    return {
        "BucketEncryption": _encryption(bucket.encryption),
        "VersioningConfiguration": {"Status": bucket.versioning_status or "Suspended"},
        "PublicAccessBlockConfiguration": (
            dict(zip(_BLOCKS, (getattr(block, _snake(name)) for name in _BLOCKS), strict=True))
            if block
            else {}
        ),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership_rule}]},
        "LoggingConfiguration": {
            "DestinationBucketName": bucket.logging.get("TargetBucket"),
            "LogFilePrefix": bucket.logging.get("TargetPrefix"),
        },
    }


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _encryption(kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not kept:
        return {}
    rule = kept["Rule"]
    return {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            }
        ]
    }


def _bucket_policy(resource: Any, place: Place) -> Mapping[str, Any] | None:
    bucket = s3_backends[place.account][place.partition].buckets.get(resource.physical_resource_id)
    return {"PolicyDocument": json.loads(bucket.policy)} if bucket is not None and bucket.policy else None


def _key(resource: Any, place: Place) -> Mapping[str, Any] | None:
    key = kms_backends[place.account][place.region].keys.get(resource.physical_resource_id)
    if key is None or key.key_state == "PendingDeletion":
        return None
    return {
        "Description": key.description,
        "EnableKeyRotation": key.key_rotation_status,
        "Enabled": key.enabled,
        "KeyPolicy": json.loads(key.policy),
    }


def _role(resource: Any, place: Place) -> Mapping[str, Any] | None:
    backend = iam_backends[place.account][place.partition]
    role = next((each for each in backend.roles.values() if each.name == resource.physical_resource_id), None)
    if role is None:
        return None
    return {
        "AssumeRolePolicyDocument": json.loads(role.assume_role_policy_document),
        "Description": role.description,
        "ManagedPolicyArns": list(role.managed_policies),
        "PermissionsBoundary": role.permissions_boundary_arn,
        "Policies": [
            {"PolicyName": name, "PolicyDocument": json.loads(document)}
            for name, document in role.policies.items()
        ],
    }


def _managed_policy(resource: Any, place: Place) -> Mapping[str, Any] | None:
    backend = iam_backends[place.account][place.partition]
    policy = backend.managed_policies.get(resource.physical_resource_id)
    if policy is None:
        return None
    in_force = next(each for each in policy.versions if each.version_id == policy.default_version_id)
    document = in_force.document
    return {
        "PolicyDocument": json.loads(document) if isinstance(document, str) else document,
        "Roles": [role.name for role in backend.roles.values() if policy.arn in role.managed_policies],
    }


def _group(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = _find_group(resource.physical_resource_id, place)
    if group is None:
        return None
    apart = {rule.id for rule in _rules_of_their_own(place)}
    return {
        "SecurityGroupEgress": [_rule(rule) for rule in group.egress_rules if rule.id not in apart],
        "SecurityGroupIngress": [_rule(rule) for rule in group.ingress_rules if rule.id not in apart],
    }


def _find_group(group_id: str, place: Place) -> Any:
    groups = ec2_backends[place.account][place.region].groups.values()
    return next((found for of_vpc in groups for found in of_vpc.values() if found.id == group_id), None)


def _rules_of_their_own(place: Place) -> list[Any]:
    """Return the rules that templates have as resources, which a group's own properties do not name."""
    return [
        rule
        for stack in cloudformation_backends[place.account][place.region].stacks.values()
        for name, definition in definitions_of(stack.resource_map).items()
        if definition["Type"] in _RULE_TYPES
        for rule in getattr(stack.resource_map._parsed_resources.get(name), "rules", [])
    ]


def _rule(rule: Any) -> dict[str, Any]:
    side = "Destination" if rule.is_egress else "Source"
    said = {
        "IpProtocol": rule.ip_protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIp": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        f"{side}SecurityGroupId": rule.source_group.get("GroupId"),
        f"{side}PrefixListId": rule.prefix_list_id,
    }
    return {key: value for key, value in said.items() if value is not None}


def _group_rule(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = _find_group(resource.group.id, place)
    rules = [*group.ingress_rules, *group.egress_rules] if group else []
    there = any(
        rule == each and rule.is_egress == each.is_egress for rule in resource.rules for each in rules
    )
    return {} if there else None


def _endpoint(resource: Any, place: Place) -> Mapping[str, Any] | None:
    endpoint = ec2_backends[place.account][place.region].vpc_end_points.get(resource.physical_resource_id)
    if endpoint is None or endpoint.state.startswith("delet"):
        return None
    return {
        "PolicyDocument": json.loads(endpoint.policy_document),
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "SecurityGroupIds": endpoint.security_group_ids,
    }


def _log_group(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = logs_backends[place.account][place.region].groups.get(resource.physical_resource_id)
    return (
        None if group is None else {"KmsKeyId": group.kms_key_id, "RetentionInDays": group.retention_in_days}
    )


READERS: Mapping[str, Reader] = {
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::SecurityGroupEgress": _group_rule,
    "AWS::EC2::SecurityGroupIngress": _group_rule,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
}
