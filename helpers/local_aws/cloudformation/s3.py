"""Buckets: moto's CloudFormation creates them, and forgets most of what the template says of them."""

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket, s3_backends

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel, as_tags


def _backend(place: Place) -> Any:
    return s3_backends[place.account][place.partition]


def give_bucket_its_properties(bucket: Any, properties: Properties, place: Place) -> None:
    """Moto knows BucketEncryption (without the bucket key) and Tags; the other properties have no effect."""
    backend = _backend(place)
    bucket.encryption = _encryption(properties)
    bucket.versioning_status = properties.get("VersioningConfiguration", {}).get("Status")
    bucket.public_access_block = None
    if block := properties.get("PublicAccessBlockConfiguration"):
        backend.put_public_access_block(bucket.name, block)
    rules = properties.get("OwnershipControls", {}).get("Rules", [])
    bucket.ownership_rule = rules[0]["ObjectOwnership"] if rules else None
    bucket.set_lifecycle(
        [_lifecycle(r) for r in properties.get("LifecycleConfiguration", {}).get("Rules", [])]
    )
    target = properties.get("LoggingConfiguration", {})
    bucket.logging = (
        {
            "TargetBucket": target.get("DestinationBucketName"),
            "TargetPrefix": target.get("LogFilePrefix", ""),
        }
        if target
        else {}
    )
    backend.put_bucket_tagging(bucket.name, as_tags(properties))


def _encryption(properties: Properties) -> dict[str, Any] | None:
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if not rules:
        return None
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": rules[0]["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rules[0].get("BucketKeyEnabled", False),
        }
    }


def _lifecycle(rule: Properties) -> dict[str, Any]:
    expiration = {"Days": rule.get("ExpirationInDays"), "Date": rule.get("ExpirationDate")}
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = "true"
    said = {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": {key: value for key, value in expiration.items() if value},
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    return {key: value for key, value in said.items() if value}


def refuse_to_delete_objects(bucket: Any, _properties: Properties, place: Place) -> None:
    """Moto keeps a bucket that is not empty and says nothing; AWS fails the deletion."""
    if bucket.keys:
        raise ValueError(
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket. "
            f"({bucket.name})"
        )
    _backend(place).delete_bucket(bucket.name)


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class BucketPolicy(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::S3::BucketPolicy, which moto answers with CREATE_COMPLETE without a policy anywhere."""

    resource_type = "AWS::S3::BucketPolicy"

    @classmethod
    def create(cls, _name: str, properties: Properties, _place: Place) -> "BucketPolicy":
        """Return the resource; its mend attaches the document to the bucket."""
        return cls(properties["Bucket"])


def attach_bucket_policy(policy: Any, properties: Properties, place: Place) -> None:
    """Put the policy's document on its bucket."""
    _backend(place).put_bucket_policy(
        policy.physical_resource_id, json.dumps(properties["PolicyDocument"]).encode()
    )


def detach_bucket_policy(policy: Any, _properties: Properties, place: Place) -> None:
    """Take the policy off its bucket."""
    _backend(place).delete_bucket_policy(policy.physical_resource_id)


def leave_conditions_to_aws() -> None:
    """Moto takes a statement with conditions for one that always holds: `TlsOnly` would deny every request.

    What a request's context is (TLS, the endpoint it came through) is not known here, so such statements are
    stored and shown, and not enforced.
    """

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(bucket.policy)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        policy["Statement"] = [statement for statement in statements if "Condition" not in statement]
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


MENDS = {
    "AWS::S3::Bucket": Mend(
        apply=give_bucket_its_properties,
        delete=refuse_to_delete_objects,
        create_only=frozenset({"BucketName"}),
        emulated=frozenset(
            {
                "BucketEncryption",
                "BucketName",
                "LifecycleConfiguration",
                "LoggingConfiguration",
                "OwnershipControls",
                "PublicAccessBlockConfiguration",
                "Tags",
                "VersioningConfiguration",
            }
        ),
    ),
    "AWS::S3::BucketPolicy": Mend(
        apply=attach_bucket_policy,
        delete=detach_bucket_policy,
        create_only=frozenset({"Bucket"}),
        emulated=frozenset({"Bucket", "PolicyDocument"}),
    ),
}
