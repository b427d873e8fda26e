"""Uploads the code of Spark jobs to S3 once, under a name that contains the hash of its content."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.errors import UserError
from helpers.s3 import S3Uri, object_sha256, parse, sha256_of, write_once

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def stage_code(s3: "S3Client", files: Mapping[str, bytes]) -> list[str]:
    """Upload the code files that are not in S3 yet.

    The bucket encrypts them with its default key, and rejects uploads with another one.

    Args:
        s3: a client.
        files: the content by URI.

    Returns:
        The URIs that were written.

    Raises:
        UserError: an object at one of the URIs has other content.
    """
    return [uri for uri, content in files.items() if _stage(s3, parse(uri), content)]


def _stage(s3: "S3Client", uri: S3Uri, content: bytes) -> bool:
    """Write a file unless it exists; return whether it was written."""
    if write_once(s3, uri, content):
        return True
    if object_sha256(s3, uri) != sha256_of(content):
        raise UserError(
            f"{uri} holds other code than this checkout, and staged code is never overwritten",
            hint="Set the parameter to a folder with ${CodeHash}",
        )
    return False
