"""Lists and downloads objects: those of any S3 with a client, those of the embedded S3 in memory."""

import shutil
from pathlib import Path
from typing import Any

from helpers.local_aws.api.response import ACCOUNT
from helpers.s3 import S3Uri


class S3Objects:
    """The objects that a client can read."""

    def __init__(self, s3: Any):
        self._s3 = s3

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys that start with a prefix, in order. Raises ClientError if S3 returns an error."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def download(self, uri: S3Uri, target: Path) -> None:
        """Write an object to a file. Raises ClientError if S3 returns an error."""
        # In one request: boto3's download_file first asks for the size.
        body = self._s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"]
        with body, target.open("wb") as file:
            shutil.copyfileobj(body, file, 1 << 20)


class EmbeddedS3Objects(S3Objects):
    """The objects of the embedded S3 in this process.

    A job with packages has thousands of small inputs, and a request takes longer than to write a file: it is
    signed, routed, serialized and parsed. The client handles what does not exist, what is archived, and what
    a bucket policy denies: it raises the errors of S3.
    """

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys that start with a prefix, in order."""
        found = _bucket(bucket)
        if found is None:
            return super().keys(bucket, prefix)
        listed, *_ = _backend().list_objects(found, prefix, delimiter=None, marker=None, max_keys=None)
        return [each.name for each in listed]

    def download(self, uri: S3Uri, target: Path) -> None:
        """Write the current version of an object to a file."""
        content = _content(uri)
        if content is None:
            super().download(uri, target)
        else:
            target.write_bytes(content)


def _content(uri: S3Uri) -> bytes | None:
    from moto.iam.access_control import PermissionResult  # noqa: PLC0415 - moto is configured before it is imported
    from moto.s3.utils import ARCHIVE_STORAGE_CLASSES  # noqa: PLC0415

    bucket = _bucket(uri.bucket)
    if bucket is None:
        return None
    arn = f"arn:{bucket.partition}:s3:::{uri.bucket}/{uri.key}"
    if bucket.get_permission("s3:GetObject", arn) == PermissionResult.DENIED:
        return None
    found = _backend().get_object(uri.bucket, uri.key)
    if found is None or found.storage_class in ARCHIVE_STORAGE_CLASSES:
        return None
    content: bytes = found.value
    return content


def _bucket(name: str) -> Any:
    return _backend().buckets.get(name)


def _backend() -> Any:
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    return get_backend("s3")[ACCOUNT]["aws"]
