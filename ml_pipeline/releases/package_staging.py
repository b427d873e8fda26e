"""Uploads the packages and jars of steps to S3, each set once per content."""

import tempfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.s3 import join, parse
from helpers.spark.packages.bundle import Bundle, read_manifest
from helpers.spark.packages.layout import MANIFEST
from ml_pipeline.releases.staging import stage_code

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_UPLOADS = 10
"""Parallel transfers: the size of the connection pool of a boto3 client."""


class PackageStaging:
    """The package sets that pipelines need and that are incomplete in S3, prepared for upload."""

    def __init__(self, s3: "S3Client"):
        self._s3 = s3
        self._temporary = tempfile.TemporaryDirectory(prefix="packages-")
        self._files: dict[str, Mapping[str, Path]] = {}

    def __enter__(self) -> "PackageStaging":
        """Create the folder for downloads."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the downloads."""
        self._temporary.cleanup()

    def prepare(self, bundles: Mapping[str, Bundle], own_modules: Collection[str]) -> None:
        """Download, check and unpack the files that are missing in S3, without uploading any.

        Args:
            bundles: the packages by the URI of their folder.
            own_modules: the names of the jobs' own modules.

        Raises:
            UserError: a package cannot be downloaded, does not match its lock, or shadows a module.
        """
        for uri, bundle in bundles.items():
            if uri not in self._files and not _is_complete(self._s3, uri):
                folder = Path(tempfile.mkdtemp(dir=self._temporary.name))
                self._files[uri] = bundle.assemble(folder, own_modules)

    def upload(self, uri: str) -> int:
        """Upload the missing files of each folder, the manifest last; return the number of bytes sent."""
        files = dict(self._files.get(uri, {}))
        manifest = files.pop(MANIFEST, None)
        if manifest is None:
            return 0
        with ThreadPoolExecutor(_UPLOADS) as pool:
            sent = list(pool.map(lambda file: self._stage(join(uri, file[0]), file[1]), files.items()))
        return sum(sent) + self._stage(join(uri, MANIFEST), manifest)

    def _stage(self, uri: str, path: Path) -> int:
        content = path.read_bytes()
        return len(content) if stage_code(self._s3, {uri: content}) else 0


def _is_complete(s3: "S3Client", uri: str) -> bool:
    """Return whether a folder has its manifest and every file listed there."""
    bucket, prefix = parse(f"{uri.rstrip('/')}/")
    try:
        body = s3.get_object(Bucket=bucket, Key=f"{prefix}{MANIFEST}")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    there = {
        entry["Key"].removeprefix(prefix): entry["Size"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
    }
    return read_manifest(body).files.items() <= there.items()
