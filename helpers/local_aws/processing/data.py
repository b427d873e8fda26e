"""The inputs of a processing job from S3 into its container, and its outputs back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError


class DataError(Exception):
    """An input that is not there, or that the embedded AWS cannot give to a job."""


def host_path(root: Path, container_path: str) -> Path:
    """Return where a path of the container lies on this machine."""
    return root / container_path.lstrip("/")


def download_input(s3: Any, entry: Mapping[str, Any], root: Path) -> None:
    """Bring one `ProcessingInput` into the container's folder.

    Raises:
        DataError: nothing lies under the prefix, or the input is of a kind that is not emulated.
        ClientError: S3 refuses.
    """
    source = entry.get("S3Input")
    if source is None or entry.get("DatasetDefinition") or source.get("S3InputMode") == "Pipe":
        raise DataError(
            f"input '{entry['InputName']}': the embedded AWS knows S3Input in File mode only, "
            "not Pipe mode or DatasetDefinition"
        )
    folder = host_path(root, source["LocalPath"])
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for bucket, key, relative in _objects(s3, source):
        target = folder / relative
        if not target.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"the key s3://{bucket}/{key} leads out of {source['LocalPath']}")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))
        count += 1
    if not count:
        raise DataError(f"Failed to download data. Cannot find S3 objects under {source['S3Uri']}")


def _objects(s3: Any, source: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield bucket, key and the path below the local folder of each object of an input."""
    bucket, prefix = split_uri(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        raise DataError(f"{source['S3Uri']}: the embedded AWS does not read manifest files")
    # As in the service, the part of a key after the prefix's last folder is the path in the container.
    base = len(prefix) if prefix.endswith("/") or not prefix else prefix.rfind("/") + 1
    if prefix and not prefix.endswith("/") and not _exists(s3, bucket, prefix):
        base = len(prefix) + 1
        prefix += "/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                yield bucket, item["Key"], item["Key"][base:]


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


class OutputUpload:
    """One `ProcessingOutput`: the files below a folder of the container, and where they go in S3."""

    def __init__(self, s3: Any, entry: Mapping[str, Any], root: Path, kms_key: str | None):
        target = entry.get("S3Output")
        if target is None:
            raise DataError(f"output '{entry['OutputName']}': the embedded AWS uploads S3Output only")
        self._s3 = s3
        self._bucket, self._prefix = split_uri(target["S3Uri"])
        self._arguments = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self.folder = host_path(root, target["LocalPath"])
        self.continuous = target["S3UploadMode"] == "Continuous"

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
        """Upload as `upload` does; what fails now is tried again with the next call or at the end."""
        try:
            self.upload()
        except (ClientError, BotoCoreError, Boto3Error, OSError):
            return


def outputs_of(s3: Any, request: Mapping[str, Any], root: Path) -> list[OutputUpload]:
    """Return the outputs of a CreateProcessingJob request, their folders made."""
    config = request.get("ProcessingOutputConfig") or {}
    uploads = [OutputUpload(s3, entry, root, config.get("KmsKeyId")) for entry in config.get("Outputs", [])]
    for upload in uploads:
        upload.folder.mkdir(parents=True, exist_ok=True)
    return uploads


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI."""
    parts = urlparse(uri)
    return parts.netloc, parts.path.lstrip("/")
