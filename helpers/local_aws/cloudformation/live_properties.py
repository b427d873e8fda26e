"""What resources are at this moment, in the words of a template; drift detection compares the two.

A reader returns the properties that it knows how to read, or None where the resource is gone. Types without a
reader are not checked, as types that the service does not support are not.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.cloudformation import live_alarms, live_network
from helpers.local_aws.cloudformation.resources import Place, properties_of
from helpers.local_aws.studio import studio_of

Reader = Callable[[Any, Place], Mapping[str, Any] | None]

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


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
        "LifecycleConfiguration": {"Rules": [_lifecycle(rule) for rule in bucket.rules]},
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


def _lifecycle(rule: Any) -> Mapping[str, Any]:
    said = {
        "Id": rule.id,
        "Status": rule.status,
        "Prefix": rule.filter.prefix if rule.filter else rule.prefix,
        "ExpirationInDays": rule.expiration_days,
        "ExpirationDate": rule.expiration_date,
        "ExpiredObjectDeleteMarker": rule.expired_object_delete_marker,
    }
    if rule.nve_noncurrent_days is not None:
        said["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.nve_noncurrent_days}
    if rule.aimu_days is not None:
        said["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.aimu_days}
    return {key: value for key, value in said.items() if value}


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


def _alias(resource: Any, place: Place) -> Mapping[str, Any] | None:
    key = kms_backends[place.account][place.region].get_key_id_from_alias(resource.physical_resource_id)
    return None if key is None else {"TargetKeyId": key}


def _role(resource: Any, place: Place) -> Mapping[str, Any] | None:
    backend = iam_backends[place.account][place.partition]
    role = next((each for each in backend.roles.values() if each.name == resource.physical_resource_id), None)
    if role is None:
        return None
    return {
        "AssumeRolePolicyDocument": json.loads(role.assume_role_policy_document),
        "Description": role.description,
        "ManagedPolicyArns": list(role.managed_policies),
        "MaxSessionDuration": role.max_session_duration,
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


def _log_group(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = logs_backends[place.account][place.region].groups.get(resource.physical_resource_id)
    return properties_of(group, KmsKeyId="kms_key_id", RetentionInDays="retention_in_days")


def _provider(resource: Any, place: Place) -> Mapping[str, Any] | None:
    providers = iam_backends[place.account][place.partition].open_id_providers
    return properties_of(providers.get(resource.physical_resource_id), ClientIdList="client_id_list")


def _domain(resource: Any, place: Place) -> Mapping[str, Any] | None:
    try:
        return studio_of(place.region).describe_domain({"DomainId": resource.physical_resource_id})
    except ApiError:
        return None


def _user_profile(resource: Any, place: Place) -> Mapping[str, Any] | None:
    named = {
        "DomainId": resource.attributes["DomainId"],
        "UserProfileName": resource.physical_resource_id,
    }
    try:
        return studio_of(place.region).operations()["DescribeUserProfile"](named)
    except ApiError:
        return None


READERS: Mapping[str, Reader] = {
    **live_alarms.READERS,
    **live_network.READERS,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::OIDCProvider": _provider,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SageMaker::Domain": _domain,
    "AWS::SageMaker::UserProfile": _user_profile,
}
