"""Objects in S3: URIs, checksums, and objects that are written once."""

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class S3Uri(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse(uri: str) -> S3Uri:
    """Return the bucket and the key of an s3:// or s3a:// URI."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return S3Uri(bucket, key)


def join(folder: str, *names: str) -> str:
    """Return the s3:// URI of a name below a folder, also if the URI of the folder is s3a://."""
    return str(parse("/".join([folder.rstrip("/"), *names])))


def overlap(one: str, other: str) -> bool:
    """Return whether two locations are equal or one contains the other; s3:// and s3a:// are the same."""
    first, second = (f"{uri.rpartition('://')[2].rstrip('/')}/" for uri in (one, other))
    return first.startswith(second) or second.startswith(first)


def write_once(s3: "S3Client", uri: S3Uri, content: bytes, content_type: str = "binary/octet-stream") -> bool:
    """Write an object if it does not exist yet, with a conditional write; return whether it was written."""
    try:
        s3.put_object(
            Bucket=uri.bucket,
            Key=uri.key,
            Body=content,
            ContentType=content_type,
            IfNoneMatch="*",
            ChecksumSHA256=sha256_of(content),
        )
    except ClientError as error:
        # A conditional write during another one fails with ConditionalRequestConflict.
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise
    return True


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 checksum of content in base64, as S3 returns it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def object_sha256(s3: "S3Client", uri: S3Uri) -> str | None:
    """Return the SHA-256 checksum of an object in base64, or None if the object does not exist.

    If S3 has no checksum of the whole object, the object is downloaded.
    """
    try:
        known = s3.head_object(Bucket=uri.bucket, Key=uri.key, ChecksumMode="ENABLED").get("ChecksumSHA256")
        if known and "-" not in known:  # with a hyphen, it is a checksum of the checksums of parts
            return known
        return sha256_of(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
