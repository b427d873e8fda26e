"""Files of jobs: on S3 through boto3, and on a local disk.

S3 is read by ranges and written in parts, with the credentials of the job's role by boto3's own chain, on the
driver and in the Python workers of executors alike. The bucket's default encrypts. Endpoint, region, attempts
and timeout are those of S3A, so that one configuration.json holds for both.
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
"""What one request reads or writes."""
REQUESTS = 4
"""At a time, of one task."""
USER_AGENT = "spark-etl"
"""What requests of jobs name beside boto3, in access logs for example."""
BODY_ATTEMPTS = 5
"""How often a part is read whose connection ends before its end; boto3 retries only until the body begins."""


class StoredFile(NamedTuple):
    """A file that is stored."""

    uri: str
    size: int
    """In bytes."""
    modified_ms: int
    """Milliseconds since 1970, by the clock of the storage."""
    version: str = ""
    """The ETag, on S3."""


@dataclass(frozen=True)
class S3Settings:
    """How S3 is reached."""

    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    attempts: int = 20
    """Of a request, the first one included: between them boto3 waits for up to 20 seconds."""
    timeout_seconds: float = 200.0


_REPLACED = {"PreconditionFailed", "412", "NoSuchKey", "404"}
"""What S3 answers to a request for an object that is not the one that was listed."""


_ATTEMPTS = {"attempts.maximum": 20, "retry.limit": 7, "retry.throttle.limit": 20}
"""The settings of S3A that limit its attempts, with their defaults: here the largest holds."""


class Storage(Protocol):
    """What a job needs of a place for files; each URI is one of that place."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all files below a folder, or the file itself."""

    def folders(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder."""

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a file from a position up to another."""

    def read_text(self, uri: str) -> str:
        """Return the text of a small file; empty if it does not exist."""

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write a file at once: a reader sees what was there before, or the whole of this."""

    def delete(self, folder: str) -> None:
        """Remove a file, or a folder with all below it; nothing there is fine."""


def storage(uri: str, settings: S3Settings) -> Storage:
    """Return the storage of a URI.

    Raises:
        JobError: it is neither on S3 nor on a local disk.
    """
    scheme = _scheme(uri)
    if scheme in S3_SCHEMES:
        return S3(_client(settings))
    if scheme in {"", "file"}:
        return LocalDisk()
    raise JobError(f"{uri}: the job reads and writes s3a://, s3:// and local paths; copy the data to S3")


def _scheme(uri: str) -> str:
    if "://" in uri:
        return urlsplit(uri).scheme
    return uri.partition(":/")[0] if uri.startswith("file:/") else ""


def prepare(*uris: str) -> Thread | None:
    """Import what the storages of URIs need, in a thread: while Spark starts, Python has nothing to do."""
    if not any(_scheme(uri) in S3_SCHEMES for uri in uris):
        return None
    thread = Thread(target=import_module, args=("boto3.s3.inject",), daemon=True)
    thread.start()
    return thread


def s3_settings(spark: SparkSession) -> S3Settings:
    """Return the S3 settings of a session's configuration and the environment."""
    hadoop: Any = spark.sparkContext._jsc.hadoopConfiguration()
    endpoint = hadoop.getTrimmed("fs.s3a.endpoint", "") or os.environ.get("AWS_ENDPOINT_URL_S3") or ""
    if endpoint and "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    if endpoint.endswith("://s3.amazonaws.com"):  # S3A's name for no endpoint: the region decides
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
    """Return a client, of which a process has one: it renews credentials and keeps connections."""
    import boto3  # noqa: PLC0415 - takes a third of a second, which a job on a local disk spares
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
    """Objects of S3."""

    def __init__(self, client: Any):
        self._client = client

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all objects below a folder, or the object itself."""
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
        """Return the names of the folders directly in a folder."""
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
        """Return the bytes of an object from a position up to another, read in parts at the same time."""
        positions = range(start, end, PART_BYTES)
        parts = [(file, each, min(each + PART_BYTES, end)) for each in positions]
        if len(parts) <= 1:
            return b"".join(self._read_part(*part) for part in parts)
        with ThreadPoolExecutor(REQUESTS) as pool:
            return b"".join(pool.map(lambda part: self._read_part(*part), parts))

    def _read_part(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a part; where the connection ends before them, ask again."""
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
        """Return the text of a small object; empty if it does not exist."""
        bucket, key = _bucket_and_key(uri)
        try:
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return ""
        return content.decode()

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write an object, which appears when all of its parts are there."""
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
        """Remove an object, or all below a folder."""
        bucket, _ = _bucket_and_key(folder)
        keys = [{"Key": _bucket_and_key(file.uri)[1]} for file in self.files(folder)]
        for begin in range(0, len(keys), 1000):
            request = {"Objects": keys[begin : begin + 1000], "Quiet": True}
            answer = self._client.delete_objects(Bucket=bucket, Delete=request)
            if errors := answer.get("Errors"):
                raise JobError(f"{folder} cannot be removed: {errors[0]['Code']}: {errors[0]['Message']}")


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


class LocalDisk:
    """Files of a local disk, by path or file: URI."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield all files below a folder, or the file itself."""
        top = local_path(folder)
        if top.is_file():
            yield _stored(top)
            return
        for parent, _, names in os.walk(top, followlinks=True):
            for name in sorted(names):
                yield _stored(Path(parent, name))

    def folders(self, folder: str) -> list[str]:
        """Return the names of the folders directly in a folder."""
        path = local_path(folder)
        return [each.name for each in path.iterdir() if each.is_dir()] if path.is_dir() else []

    def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes of a file from a position up to another."""
        with local_path(file.uri).open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def read_text(self, uri: str) -> str:
        """Return the text of a small file; empty if it does not exist."""
        path = local_path(uri)
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def write(self, uri: str, content: bytes | memoryview) -> None:
        """Write a file beside its place, then move it there."""
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
        """Remove a file, or a folder with all below it."""
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
