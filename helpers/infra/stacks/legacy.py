"""The single stack of earlier versions: which resources migrate, and how far the migration is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.infra.stacks.status import find_stack, stack_resources

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient

    from helpers.environments import Environment

KEY, BUCKET = "AWS::KMS::Key", "AWS::S3::Bucket"
MOVED_TYPES: Mapping[str, Mapping[str, str]] = {
    "keys": {"VolumeKey": KEY, "DataKey": KEY},
    "storage": {"ArtifactBucket": BUCKET, "DataBucket": BUCKET},
}
"""The resources that migrate: by new template, their types by logical ID. The logical IDs do not change."""

TYPES: Mapping[str, str] = {name: type_ for types in MOVED_TYPES.values() for name, type_ in types.items()}

_ABSENT_STATUSES = ("DELETE_", "IMPORT_FAILED", "IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_")
"""Prefixes of the statuses of resources that a stack does not have: deleted, or not imported yet."""

_ID_OF_A_PRINCIPAL = re.compile(r"A(RO|ID)A[A-Z0-9]{16,}")


def reject_legacy(cloudformation: "CloudFormationClient", name: str, environment: "Environment") -> None:
    """Raise a UserError if the legacy stack exists: a deployment would create other keys and buckets."""
    if find_stack(cloudformation, name):
        raise UserError(
            f"The stack {name} of an earlier version still exists, with the keys and buckets of "
            f"{environment}; a deployment would create others next to them",
            hint=f"Move the keys and buckets with: make migrate ENV={environment}",
        )


@dataclass(frozen=True)
class LegacyStack:
    """The legacy stack of an environment. The name of a new stack is its name and that of the template."""

    session: "boto3.Session"
    name: str

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """A client, created once because that takes longer than most requests."""
        return self.session.client("cloudformation")

    def successor_name(self, template: str) -> str:
        """Return the name of the new stack of a template."""
        return f"{self.name}-{template}"

    def retained_resources(self) -> dict[str, str]:
        """Return what the legacy stack, if it is deleted, retained: physical IDs by logical ID."""
        pages = self.cloudformation.get_paginator("list_stacks").paginate(
            StackStatusFilter=["DELETE_COMPLETE"]
        )
        summaries = [each for page in pages for each in page["StackSummaries"]]
        deleted = [each for each in summaries if each["StackName"] == self.name]
        if not deleted:
            return {}
        newest = max(deleted, key=lambda each: each["CreationTime"])
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in stack_resources(self.cloudformation, newest["StackId"])
            if each["LogicalResourceId"] in TYPES and each["ResourceStatus"] == "DELETE_SKIPPED"
        }

    def imported(self) -> dict[str, str]:
        """Return the migrated resources that the new stacks have: physical IDs by logical ID."""
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for template, types in MOVED_TYPES.items()
            if find_stack(self.cloudformation, self.successor_name(template))
            for each in stack_resources(self.cloudformation, self.successor_name(template))
            if each["LogicalResourceId"] in types and not each["ResourceStatus"].startswith(_ABSENT_STATUSES)
        }

    def is_there(self, name: str, physical_id: str) -> bool:
        """Return whether a key or bucket exists and is not pending deletion, by logical and physical ID."""
        try:
            if TYPES[name] == BUCKET:
                # The new bucket policy denies HeadBucket from outside the VPC, but not GetBucketLocation.
                self.session.client("s3").get_bucket_location(Bucket=physical_id)
                return True
            key = self.session.client("kms").describe_key(KeyId=physical_id)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchBucket", "NotFoundException"}:
                return False
            raise
        return key.get("KeyState") != "PendingDeletion"

    def definition(self, name: str, physical_id: str) -> dict[str, Any]:
        """Return the definition of a key or bucket in the template of an import."""
        definition = {"Type": TYPES[name], "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        if TYPES[name] == BUCKET:
            return definition
        kms = self.session.client("kms")
        policy = json.loads(kms.get_key_policy(KeyId=physical_id, PolicyName="default")["Policy"])
        return {**definition, "Properties": {"KeyPolicy": without_deleted_principals(policy)}}


def without_deleted_principals(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key policy without the statements of deleted roles and users.

    KMS shows a deleted principal as its unique ID, and rejects a policy with such an ID. If the deployment
    after the import failed, CloudFormation could not restore the policy.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    statements = [each for each in policy["Statement"] if not _names_deleted_principal(each)]
    return {**policy, "Statement": statements}


def _names_deleted_principal(statement: Mapping[str, Any]) -> bool:
    return bool(_ID_OF_A_PRINCIPAL.search(json.dumps(statement.get("Principal", ""))))
