"""Reads and writes files on S3, with boto3, and on a local disk.

Drivers and Python workers of executors use the default credentials of boto3, which are those of the job's
role. Objects are encrypted by the default encryption of the bucket. Endpoint, Region, attempts and timeout
are read from the settings of S3A, so that a configuration.json applies to both.
"""

from __future__ import annotations

import io
import os
import shutil
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from etl.errors import JobError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

S3_SCHEMES = ("s3", "s3a", "s3n")
PART_BYTES = 8 * 1024**2
"""Maximum number of bytes that a request reads or writes."""
REQUESTS = 4
"""Maximum number of concurrent requests of a task."""
USER_AGENT = "spark-etl"
"""Added to the user agent of requests, for example in access logs."""
BODY_ATTEMPTS = 5
"""Attempts to read a part if the connection is closed early. boto3 does not retry after a body has begun."""


class StoredFile(NamedTuple):
    """A file on S3 or a local disk."""

    uri: str
    size: int
    """In bytes."""
    modified_ms: int
    """Time of the last change in milliseconds since 1970, by the clock of the storage."""
    version: str = ""
    """The ETag of an S3 object."""


@dataclass(frozen=True)
class S3Settings:
    """The settings of the S3 client. None means the default of boto3."""

    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    attempts: int = 20
    """Attempts per request, including the first one. boto3 waits up to 20 seconds between attempts."""
    timeout_seconds: float = 200.0


_REPLACED = {"PreconditionFailed", "412", "NoSuchKey", "404"}
"""Error codes of S3 if an object was replaced or deleted after it was listed."""


_ATTEMPTS = {"attempts.maximum": 20, "retry.limit": 7, "retry.throttle.limit": 20}
"""The settings of S3A for retries, with their defaults. The largest value is used."""


class Storage(Protocol):
    """A storage for files. Every URI must belong to this storage."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all files in a folder and its subfolders, or the file itself."""

    def folders(self, folder: str) -> list[str]:
        """Return the names of the direct subfolders of a folder."""

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a file from position `start` up to `end`.

        Raises:
            JobError: an S3 object was replaced or deleted after it was listed.
        """

    def read_text(self, uri: str) -> str:
        """Return the text of a small file, or an empty string if it does not exist."""

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write a file atomically. A reader sees the previous or the new content."""

    def delete(self, folder: str) -> None:
        """Delete a file or a folder with its content, if it exists."""


def storage(uri: str, settings: S3Settings) -> Storage:
    """Return the storage of a URI.

    Raises:
        JobError: the URI is neither on S3 nor on a local disk.
    """
    scheme = _scheme(uri)
    if scheme in S3_SCHEMES:
        return S3(_client(settings))
    if scheme in {"", "file"}:
        return LocalDisk()
    raise JobError(f"{uri}: expected an s3a:// or s3:// URI, or a local path; copy the data to S3")


def _scheme(uri: str) -> str:
    if "://" in uri:
        return urlsplit(uri).scheme
    return uri.partition(":/")[0] if uri.startswith("file:/") else ""


def prepare(*uris: str) -> Thread | None:
    """Import boto3 in a thread if a URI is on S3, because Python is idle while Spark starts.

    Returns:
        The thread, or None if no URI is on S3.
    """
    if not any(_scheme(uri) in S3_SCHEMES for uri in uris):
        return None
    thread = Thread(target=import_module, args=("boto3.s3.inject",), daemon=True)
    thread.start()
    return thread


def s3_settings(spark: SparkSession) -> S3Settings:
    """Return the S3 settings from the configuration of a Spark session and from environment variables."""
    hadoop: Any = spark.sparkContext._jsc.hadoopConfiguration()
    endpoint = hadoop.getTrimmed("fs.s3a.endpoint", "") or os.environ.get("AWS_ENDPOINT_URL_S3") or ""
    if endpoint and "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    if endpoint.endswith("://s3.amazonaws.com"):  # S3A treats this endpoint as the default of the Region
        endpoint = ""
    region = hadoop.getTrimmed("fs.s3a.endpoint.region", "") or os.environ.get("AWS_REGION")
    return S3Settings(
        endpoint or os.environ.get("AWS_ENDPOINT_URL") or None,
        region or os.environ.get("AWS_DEFAULT_REGION"),
        bool(hadoop.getBoolean("fs.s3a.path.style.access", False)),
        max(1, *(int(hadoop.getInt(f"fs.s3a.{name}", default)) for name, default in _ATTEMPTS.items())),
        int(hadoop.getTimeDuration("fs.s3a.connection.timeout", "200s", _milliseconds(spark))) / 1000,
    )


def _milliseconds(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    return jvm.java.util.concurrent.TimeUnit.MILLISECONDS


@lru_cache(maxsize=4)
def _client(settings: S3Settings) -> Any:
    """Return the S3 client of this process, which refreshes credentials and pools connections."""
    import boto3  # noqa: PLC0415 - takes a third of a second, and only S3 needs it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        read_timeout=settings.timeout_seconds,
        connect_timeout=min(settings.timeout_seconds, 10),
        max_pool_connections=REQUESTS + 1,
        s3={"addressing_style": "path"} if settings.path_style else {},
        user_agent_extra=USER_AGENT,
    )
    session = boto3.session.Session(region_name=settings.region)
    return session.client("s3", endpoint_url=settings.endpoint, config=config)


class S3:
    """A storage on S3."""

    def __init__(self, client: Any):
        self._client = client

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all objects in a folder and its subfolders, or the object itself."""
        bucket, key = _bucket_and_key(folder)
        scheme = folder.partition("://")[0]
        prefix = key.rstrip("/")
        for found in self._list(Bucket=bucket, Prefix=prefix):
            for each in found.get("Contents", ()):
                name = each["Key"]
                if not prefix or name == prefix or name.startswith(f"{prefix}/"):
                    modified = int(each["LastModified"].timestamp() * 1000)
                    yield StoredFile(f"{scheme}://{bucket}/{name}", each["Size"], modified, each["ETag"])

    def folders(self, folder: str) -> list[str]:
        """Return the names of the direct subfolders of a folder."""
        bucket, key = _bucket_and_key(folder)
        prefix = f"{key.rstrip('/')}/"
        return [
            each["Prefix"].removeprefix(prefix).rstrip("/")
            for found in self._list(Bucket=bucket, Prefix=prefix, Delimiter="/")
            for each in found.get("CommonPrefixes", ())
        ]

    def _list(self, **request: str) -> Any:
        return self._client.get_paginator("list_objects_v2").paginate(**request)

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of an object from position `start` up to `end`. Parts are read concurrently."""
        positions = range(start, end, PART_BYTES)
        parts = [(file, each, min(each + PART_BYTES, end)) for each in positions]
        if len(parts) <= 1:
            return b"".join(self._read_part(*part) for part in parts)
        with ThreadPoolExecutor(REQUESTS) as pool:
            return b"".join(pool.map(lambda part: self._read_part(*part), parts))

    def _read_part(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a part. If the connection is closed early, retry."""
        from botocore import exceptions  # noqa: PLC0415

        broken = (
            exceptions.HTTPClientError,
            exceptions.IncompleteReadError,
            exceptions.ResponseStreamingError,
        )
        attempt = 1
        while True:
            try:
                return self._request(file, start, end)
            except broken:
                if attempt == BODY_ATTEMPTS:
                    raise
            time.sleep(2**attempt / 10)
            attempt += 1

    def _request(self, file: StoredFile, start: int, end: int) -> bytes:
        bucket, key = _bucket_and_key(file.uri)
        span = f"bytes={start}-{end - 1}"
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key, Range=span, IfMatch=file.version)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _REPLACED:
                raise
            raise JobError(
                f"{file.uri} was replaced or removed while it was read: run the job again"
            ) from error
        content: bytes = answer["Body"].read()
        return content

    def read_text(self, uri: str) -> str:
        """Return the text of a small object, or an empty string if it does not exist."""
        bucket, key = _bucket_and_key(uri)
        try:
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return ""
        return content.decode()

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write an object atomically."""
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415

        bucket, key = _bucket_and_key(uri)
        if len(content) <= PART_BYTES:
            self._client.put_object(Bucket=bucket, Key=key, Body=bytes(content))
            return
        config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=REQUESTS
        )
        self._client.upload_fileobj(io.BytesIO(content), bucket, key, Config=config)

    def delete(self, folder: str) -> None:
        """Delete an object, or all objects in a folder and its subfolders.

        Raises:
            JobError: an object cannot be deleted.
        """
        bucket, _ = _bucket_and_key(folder)
        keys = [{"Key": _bucket_and_key(file.uri)[1]} for file in self.files(folder)]
        for begin in range(0, len(keys), 1000):
            request = {"Objects": keys[begin : begin + 1000], "Quiet": True}
            answer = self._client.delete_objects(Bucket=bucket, Delete=request)
            if errors := answer.get("Errors"):
                raise JobError(f"{folder} cannot be deleted: {errors[0]['Code']}: {errors[0]['Message']}")


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


class LocalDisk:
    """A storage on a local disk. Files are named by paths or file: URIs."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all files in a folder and its subfolders, or the file itself."""
        top = local_path(folder)
        if top.is_file():
            yield _stored(top)
            return
        for parent, _, names in os.walk(top, followlinks=True):
            for name in sorted(names):
                yield _stored(Path(parent, name))

    def folders(self, folder: str) -> list[str]:
        """Return the names of the direct subfolders of a folder."""
        path = local_path(folder)
        return [each.name for each in path.iterdir() if each.is_dir()] if path.is_dir() else []

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a file from position `start` up to `end`."""
        with local_path(file.uri).open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def read_text(self, uri: str) -> str:
        """Return the text of a small file, or an empty string if it does not exist."""
        path = local_path(uri)
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write a file atomically: write a temporary file, then rename it."""
        path = local_path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            beside.write_bytes(content)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise

    def delete(self, folder: str) -> None:
        """Delete a file or a folder with its content."""
        path = local_path(folder)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _stored(path: Path) -> StoredFile:
    status = path.stat()
    return StoredFile(str(path), status.st_size, int(status.st_mtime * 1000))


def local_path(uri: str) -> Path:
    """Return the path of a local file."""
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)
