"""Transfers the data of jobs between S3 and a container."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from helpers.local_aws.s3_objects import S3Objects
from helpers.s3 import S3Uri, parse


class DataError(Exception):
    """An input does not exist, or cannot be provided to a container."""


def host_path(root: Path, container_path: str) -> Path:
    """Return the path on this machine of a container path."""
    return root / container_path.lstrip("/")


class _Object(NamedTuple):
    uri: S3Uri
    relative: str
    """The path relative to the local folder."""


def download_prefix(
    stored: S3Objects, uri: str, local_path: str, root: Path, *, shard: tuple[int, int] = (0, 1)
) -> None:
    """Download the objects of an S3 prefix into a folder of the container.

    Args:
        stored: the objects of S3.
        uri: an object, a folder or a key prefix, as for `S3Prefix`.
        local_path: the folder in the container.
        root: the folder that represents the container's `/`.
        shard: index and number of the instances that share the objects, as for `ShardedByS3Key`.

    Raises:
        DataError: the prefix has no objects, or its keys cannot be a tree of files.
        ClientError: S3 returns an error.
    """
    folder = host_path(root, local_path)
    folder.mkdir(parents=True, exist_ok=True)
    objects = list(_objects(stored, parse(uri)))
    if not objects:
        raise DataError(f"Failed to download data. Cannot find S3 objects under {uri}")
    _check_tree(objects)
    index, count = shard
    objects = objects[index::count]
    targets = []
    for found in objects:
        target = folder / found.relative
        if not target.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"the key {found.uri} leads out of {local_path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        targets.append(target)
    for found, target in zip(objects, targets, strict=True):
        stored.download(found.uri, target)


def _check_tree(objects: Sequence[_Object]) -> None:
    """Raise a DataError if a key would be both a file and a folder, or if two keys would be the same file."""
    paths = {found.relative: found.uri for found in objects}
    for found in objects:
        for parent in Path(found.relative).parents:
            if (file := paths.get(parent.as_posix())) is not None:
                raise DataError(
                    f"Failed to download data. {file} is an object and a folder, that of {found.uri}: "
                    "name a prefix that ends in /, or rename one of them"
                )
    (path, count), *_ = Counter(str(Path(found.relative)) for found in objects).most_common(1)
    if count > 1:
        same = [str(found.uri) for found in objects if str(Path(found.relative)) == path]
        raise DataError(
            f"Failed to download data. {' and '.join(same)} are one file, {path}: rename one of them"
        )


def _objects(objects: S3Objects, uri: S3Uri) -> Iterator[_Object]:
    bucket, prefix = uri
    keys = objects.keys(bucket, prefix)
    # As in the service, the container path is the part of a key after the last folder of the prefix.
    base = len(prefix) if prefix.endswith("/") or not prefix else prefix.rfind("/") + 1
    if prefix and not prefix.endswith("/") and prefix not in keys:
        base = len(prefix) + 1
        keys = [key for key in keys if key.startswith(f"{prefix}/")]
    for key in keys:
        if not key.endswith("/"):
            yield _Object(S3Uri(bucket, key), key[base:])


class FolderUpload:
    """The files below a container folder, and their destination in S3."""

    def __init__(self, s3: Any, folder: Path, uri: str, *, kms_key: str | None, continuous: bool):
        """Args: kms_key: encrypts the objects; None uses the bucket's default encryption."""
        self._s3 = s3
        self._bucket, self._prefix = parse(uri)
        self._arguments = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self.folder = folder
        self.continuous = continuous
        folder.mkdir(parents=True, exist_ok=True)

    def upload(self) -> None:
        """Upload the files that are new or have changed since the last call."""
        for path in sorted(self.folder.rglob("*")):
            if not path.is_file():
                continue
            state = path.stat()
            version = (state.st_mtime_ns, state.st_size)
            if self._uploaded.get(path) == version:
                continue
            relative = path.relative_to(self.folder).as_posix()
            key = f"{self._prefix.rstrip('/')}/{relative}".lstrip("/")
            self._s3.upload_file(str(path), self._bucket, key, ExtraArgs=self._arguments)
            self._uploaded[path] = version

    def upload_while_running(self) -> None:
        """Upload as `upload` does; after an error, the next call tries again."""
        try:
            self.upload()
        except (ClientError, BotoCoreError, Boto3Error, OSError):
            return
