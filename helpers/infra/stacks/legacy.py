"""The single stack of earlier versions: which resources migrate, and the progress of the migration."""

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
MOVED: Mapping[str, Mapping[str, str]] = {
    "keys": {"VolumeKey": KEY, "DataKey": KEY},
    "storage": {"ArtifactBucket": BUCKET, "DataBucket": BUCKET},
}
"""What moves: by the template that has it now, the logical ids, which were the same before, and the types."""

TYPES: Mapping[str, str] = {name: type_ for types in MOVED.values() for name, type_ in types.items()}

_NOT_HELD = ("DELETE_", "IMPORT_FAILED", "IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_")
"""How the status begins of a resource that a stack has no more, or not yet: an import may be rolled back."""

_ID_OF_A_PRINCIPAL = re.compile(r"A(RO|ID)A[A-Z0-9]{16,}")


def reject_legacy(cloudformation: "CloudFormationClient", name: str, environment: "Environment") -> None:
    """Raise a UserError while the stack of earlier versions is there: a deployment would make new buckets."""
    if find_stack(cloudformation, name):
        raise UserError(
            f"The stack {name} of an earlier version still exists, with the keys and buckets of "
            f"{environment}; a deployment would create others next to them",
            hint=f"Move the keys and buckets with: make migrate ENV={environment}",
        )


@dataclass(frozen=True)
class LegacyStack:
    """The legacy stack of an environment; the new ones have its name and that of their template."""

    session: "boto3.Session"
    name: str

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """A client, made once: that takes longer than many a request."""
        return self.session.client("cloudformation")

    def successor_name(self, template: str) -> str:
        """Return the name of the stack of a template."""
        return f"{self.name}-{template}"

    def retained_resources(self) -> dict[str, str]:
        """Return what the newest deleted stack of the name retained, by logical id."""
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
        """Return what the new stacks have of the logical ids that move."""
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for template, types in MOVED.items()
            if find_stack(self.cloudformation, self.successor_name(template))
            for each in stack_resources(self.cloudformation, self.successor_name(template))
            if each["LogicalResourceId"] in types and not each["ResourceStatus"].startswith(_NOT_HELD)
        }

    def is_there(self, name: str, physical_id: str) -> bool:
        """Return whether a key or bucket exists, by its logical id and its own."""
        try:
            if TYPES[name] == BUCKET:
                # HeadBucket is denied from outside the VPC once the bucket has its new policy; this is not.
                self.session.client("s3").get_bucket_location(Bucket=physical_id)
                return True
            key = self.session.client("kms").describe_key(KeyId=physical_id)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchBucket", "NotFoundException"}:
                return False
            raise
        return key.get("KeyState") != "PendingDeletion"

    def definition(self, name: str, physical_id: str) -> dict[str, Any]:
        """Return a key or bucket as the template of an import has it."""
        definition = {"Type": TYPES[name], "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        if TYPES[name] == BUCKET:
            return definition
        kms = self.session.client("kms")
        policy = json.loads(kms.get_key_policy(KeyId=physical_id, PolicyName="default")["Policy"])
        return {**definition, "Properties": {"KeyPolicy": without_deleted_principals(policy)}}


def without_deleted_principals(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key's policy without the statements for roles that are gone.

    KMS shows such a role by its id, and takes no policy with one: should the deployment after the import
    fail, CloudFormation could not bring that policy back.
    """
    statements = [each for each in policy["Statement"] if not _names_deleted_principal(each)]
    return {**policy, "Statement": statements}


def _names_deleted_principal(statement: Mapping[str, Any]) -> bool:
    return bool(_ID_OF_A_PRINCIPAL.search(json.dumps(statement.get("Principal", ""))))
