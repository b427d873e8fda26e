"""Empties buckets, because CloudFormation deletes only empty ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef

BATCH = 1000
"""The maximum of DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


def empty_bucket(s3: "S3Client", bucket: str, console: "Console", batch: int = BATCH) -> None:
    """Delete all versions, delete markers and unfinished uploads of a bucket, if the bucket exists.

    Raises:
        UserError: S3 did not delete an object.
    """
    try:
        count = _delete_versions(s3, bucket, console, batch)
        uploads = _abort_uploads(s3, bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        raise
    console.print(f"Emptied {bucket}: {count} versions and delete markers, {uploads} unfinished uploads.")


def _delete_versions(s3: "S3Client", bucket: str, console: "Console", batch: int) -> int:
    count = 0
    # Always list the first page: the marker of the next page would be a version that is deleted.
    while found := _first_page(s3, bucket, batch):
        answer = s3.delete_objects(
            Bucket=bucket,
            Delete={
                "Objects": [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found],
                "Quiet": True,
            },
        )
        if rejected := answer.get("Errors"):
            first = rejected[0]
            raise UserError(
                f"S3 did not delete {len(rejected)} objects of {bucket}, the first {first.get('Key')}: "
                f"{first.get('Code')} {first.get('Message')}",
                hint="Remove what protects the objects (Object Lock, a bucket policy), then run the "
                "command again",
            )
        count += len(found)
        console.print(f"Emptying {bucket}: {count} deleted", highlight=False)
    return count


def _first_page(
    s3: "S3Client", bucket: str, size: int
) -> "list[ObjectVersionTypeDef | DeleteMarkerEntryTypeDef]":
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=size)
    return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]


def _abort_uploads(s3: "S3Client", bucket: str) -> int:
    count = 0
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            count += 1
    return count


def logs_last(s3: "S3Client", buckets: Sequence[str]) -> list[str]:
    """Return buckets in the order to empty them: log buckets last, because deletions in others are logged."""
    targets = {
        s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled", {}).get("TargetBucket")
        for bucket in buckets
    }
    return sorted(buckets, key=lambda bucket: bucket in targets)
