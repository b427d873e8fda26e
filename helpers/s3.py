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
    """Return the s3:// URI of something below a folder, whichever connector the folder's URI names."""
    return str(parse("/".join([folder.rstrip("/"), *names])))


def overlap(one: str, other: str) -> bool:
    """Return whether one location lies in another, or is the same, whichever connector their URIs name."""
    first, second = (f"{uri.rpartition('://')[2].rstrip('/')}/" for uri in (one, other))
    return first.startswith(second) or second.startswith(first)


def write_once(s3: "S3Client", uri: S3Uri, content: bytes, content_type: str = "binary/octet-stream") -> bool:
    """Write an object, unless there is one; return whether it was written."""
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
        # A conditional write that meets another one gets ConditionalRequestConflict.
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise
    return True


def sha256_of(content: bytes) -> str:
    """Return a checksum in S3's form."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def object_sha256(s3: "S3Client", uri: S3Uri) -> str | None:
    """Return the checksum of an object, or None if it has none."""
    try:
        known = s3.head_object(Bucket=uri.bucket, Key=uri.key, ChecksumMode="ENABLED").get("ChecksumSHA256")
        if known and "-" not in known:  # parts of a multipart upload have checksums of their own
            return known
        return sha256_of(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
