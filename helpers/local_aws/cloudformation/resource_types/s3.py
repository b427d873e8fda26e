"""AWS::S3."""

import json
from collections.abc import Mapping
from typing import Any

from moto.s3.models import s3_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType

_BLOCKS = {
    "BlockPublicAcls": "block_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "IgnorePublicAcls": "ignore_public_acls",
    "RestrictPublicBuckets": "restrict_public_buckets",
}


class _S3(ResourceType):
    @property
    def _backend(self) -> Any:
        return s3_backends[self.place.account][self.place.partition]


class Bucket(_S3):
    """AWS::S3::Bucket."""

    type_name = "AWS::S3::Bucket"
    importable = True
    emulated = frozenset(
        {"BucketEncryption", "BucketName", "LifecycleConfiguration", "LoggingConfiguration"}
        | {"OwnershipControls", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"}
    )

    def create(self, resource: Resource) -> None:
        """Create the bucket."""
        name = resource.properties.get("BucketName", resource.generated_name)
        bucket = self._backend.create_bucket(name, self.place.region)
        resource.physical_id = bucket.name
        self._configure(bucket, resource)

    def read(self, resource: Resource) -> Properties | None:
        """Return the settings of the bucket."""
        bucket = self._backend.buckets.get(resource.physical_id)
        if bucket is None:
            return None
        block = bucket.public_access_block
        return {
            "BucketEncryption": _read_encryption(bucket.encryption),
            "VersioningConfiguration": {"Status": bucket.versioning_status or "Suspended"},
            "PublicAccessBlockConfiguration": (
                {name: getattr(block, attribute) for name, attribute in _BLOCKS.items()} if block else {}
            ),
            "LifecycleConfiguration": {"Rules": [_read_lifecycle(rule) for rule in bucket.rules]},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership_rule}]},
            "LoggingConfiguration": {
                "DestinationBucketName": bucket.logging.get("TargetBucket"),
                "LogFilePrefix": bucket.logging.get("TargetPrefix"),
            },
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the settings."""
        self._configure(self._backend.get_bucket(resource.physical_id), resource)

    def delete(self, resource: Resource) -> None:
        """Delete the bucket, which must be empty."""
        bucket = self._backend.buckets.get(resource.physical_id)
        if bucket is None:
            return
        if bucket.keys:
            raise ValueError(
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket. "
                f"({bucket.name})"
            )
        self._backend.delete_bucket(bucket.name)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return the ARN or a domain name."""
        bucket = self._backend.get_bucket(resource.physical_id)
        return {
            "Arn": bucket.arn,
            "DomainName": bucket.domain_name,
            "DualStackDomainName": bucket.dual_stack_domain_name,
            "RegionalDomainName": bucket.regional_domain_name,
            "WebsiteURL": bucket.website_url,
        }[name]

    def adopt(self, resource: Resource) -> bool:
        """Find the bucket with the physical ID."""
        return resource.physical_id in self._backend.buckets

    def _configure(self, bucket: Any, resource: Resource) -> None:
        properties = resource.properties
        bucket.encryption = _encryption(properties)
        bucket.versioning_status = properties.get("VersioningConfiguration", {}).get("Status")
        bucket.public_access_block = None
        if block := properties.get("PublicAccessBlockConfiguration"):
            self._backend.put_public_access_block(bucket.name, block)
        rules = properties.get("OwnershipControls", {}).get("Rules", [])
        bucket.ownership_rule = rules[0]["ObjectOwnership"] if rules else None
        bucket.set_lifecycle(
            [_lifecycle(rule) for rule in properties.get("LifecycleConfiguration", {}).get("Rules", [])]
        )
        bucket.logging = {}
        if target := properties.get("LoggingConfiguration"):
            bucket.logging = {
                "TargetBucket": target.get("DestinationBucketName", bucket.name),
                "TargetPrefix": target.get("LogFilePrefix", ""),
            }
        self._backend.put_bucket_tagging(bucket.name, resource.tags)


def _encryption(properties: Properties) -> dict[str, Any] | None:
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if not rules:
        return None
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": rules[0].get("ServerSideEncryptionByDefault", {}),
            "BucketKeyEnabled": rules[0].get("BucketKeyEnabled", False),
        }
    }


def _read_encryption(kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
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


def _lifecycle(rule: Properties) -> dict[str, Any]:
    expiration = {"Days": rule.get("ExpirationInDays"), "Date": rule.get("ExpirationDate")}
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = "true"
    declared = {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": {key: value for key, value in expiration.items() if value},
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    return {key: value for key, value in declared.items() if value}


def _read_lifecycle(rule: Any) -> Mapping[str, Any]:
    declared = {
        "Id": rule.id,
        "Status": rule.status,
        "Prefix": rule.filter.prefix if rule.filter else rule.prefix,
        "ExpirationInDays": rule.expiration_days,
        "ExpirationDate": rule.expiration_date,
        "ExpiredObjectDeleteMarker": rule.expired_object_delete_marker,
    }
    if rule.nve_noncurrent_days is not None:
        declared["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.nve_noncurrent_days}
    if rule.aimu_days is not None:
        declared["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.aimu_days}
    return {key: value for key, value in declared.items() if value}


class BucketPolicy(_S3):
    """AWS::S3::BucketPolicy."""

    type_name = "AWS::S3::BucketPolicy"
    emulated = frozenset({"Bucket", "PolicyDocument"})

    def create(self, resource: Resource) -> None:
        """Set the policy of the bucket, which may not have one yet."""
        name = resource.properties["Bucket"]
        if self._backend.get_bucket(name).policy:
            raise ValueError(f"The bucket policy already exists on bucket {name}.")
        resource.physical_id = name
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the policy."""
        bucket = self._backend.buckets.get(resource.physical_id)
        if bucket is None or not bucket.policy:
            return None
        return {"PolicyDocument": json.loads(bucket.policy)}

    def update(self, resource: Resource, before: Properties) -> None:
        """Replace the policy of the bucket."""
        document = json.dumps(resource.properties["PolicyDocument"]).encode()
        self._backend.put_bucket_policy(resource.physical_id, document)

    def delete(self, resource: Resource) -> None:
        """Remove the policy from its bucket."""
        if resource.physical_id in self._backend.buckets:
            self._backend.delete_bucket_policy(resource.physical_id)
