"""Measures the cost of packages on the embedded AWS: `python -m tests.ml_pipeline.packages.cost`.

First start it and set the environment of the shell: `make up`, `eval "$(make -s env)"`.

For 10, 100 and 500 MB of generated files, with the sizes of pyarrow's, it compares a folder of objects, which
steps use, with one archive: the seconds of the upload at `make upsert`, the seconds and sent bytes of an
upsert without changes, and the seconds of the download into each container.
"""

import os
import random
import tarfile
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from helpers.aws import Session
from helpers.local_aws.jobs.s3_data import download_prefix
from helpers.local_aws.s3_objects import S3Objects
from helpers.spark.packages.bundle import Bundle
from helpers.spark.packages.layout import MANIFEST
from ml_pipeline.releases.package_staging import PackageStaging

MEGABYTES = (10, 100, 500)
FILES_PER_MEGABYTE = 5
"""pyarrow 26 has 840 files and 167 MB."""
LARGE, LARGE_SHARE = 20_000_000, 0.7
"""Most of the bytes are in few shared libraries."""


class GeneratedBundle(Bundle):
    """Files of a total size instead of wheels; half of each can be compressed, as in libraries."""

    def __init__(self, megabytes: int):
        super().__init__()
        object.__setattr__(self, "megabytes", megabytes)

    def assemble(self, folder: Path, own_modules: Collection[str] = ()) -> Mapping[str, Path]:
        total = self.megabytes * 1_000_000  # type: ignore[attr-defined]
        large = [LARGE] * max(1, int(total * LARGE_SHARE / LARGE)) if total > LARGE else [total // 2]
        count = self.megabytes * FILES_PER_MEGABYTE  # type: ignore[attr-defined]
        small = [(total - sum(large)) // count] * count
        generator = random.Random(0)
        files = {}
        for number, size in enumerate(large + small):
            path = folder / f"module{number // 50}" / f"{number}.so"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(generator.randbytes(size // 2) + bytes(size - size // 2))
            files[path.relative_to(folder).as_posix()] = path
        manifest = folder / MANIFEST
        sizes = ", ".join(f'"{name}": {path.stat().st_size}' for name, path in files.items())
        manifest.write_text(
            f'{{"python": "3.12", "platform": "none", "requirements": [], "files": {{{sizes}}}}}'
        )
        return {**files, MANIFEST: manifest}


def seconds(work: Callable[[], Any]) -> float:
    """Return how long something takes, in seconds."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@contextmanager
def a_bucket(s3: Any) -> Iterator[str]:
    """A bucket that is emptied and deleted afterwards."""
    name = f"packages-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    try:
        yield name
    finally:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for entry in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=entry["Key"])
        s3.delete_bucket(Bucket=name)


def measure(s3: Any, megabytes: int, folder: Path) -> str:
    """Return a line of the table for a size."""
    bundle, sent = GeneratedBundle(megabytes), []

    def upload(uri: str) -> None:
        with PackageStaging(s3) as staging:
            staging.prepare({uri: bundle}, ())
            generated.append(time.monotonic())
            sent.append(staging.upload(uri))

    generated: list[float] = []
    (folder / "archive").mkdir()
    files = bundle.assemble(folder / "archive")
    packed = folder / "packages.tar.gz"

    def pack() -> None:
        with tarfile.open(packed, "w:gz", compresslevel=6) as archive:
            for name, path in files.items():
                archive.add(path, name)

    with a_bucket(s3) as bucket:
        uri, single = f"s3://{bucket}/code/0123456789abcdef", f"s3://{bucket}/archive/"
        upload(uri)
        first = time.monotonic() - generated[0]
        again = seconds(lambda: upload(uri))
        into = seconds(lambda: download_prefix(S3Objects(s3), f"{uri}/", "/packages", folder))
        packing = seconds(pack)
        put = seconds(lambda: s3.upload_file(str(packed), bucket, f"archive/{packed.name}"))
        got = seconds(lambda: download_prefix(S3Objects(s3), single, "/archive", folder / "container"))
        with tarfile.open(packed) as archive:
            unpacked = seconds(lambda: archive.extractall(folder / "unpacked", filter="data"))
    return (
        f"| {megabytes} MB, {len(files)} files | {first:.1f} s | {again:.2f} s, {sent[1]} bytes "
        f"| {into:.1f} s | {packing:.1f} s + {put:.1f} s | {got:.1f} s + {unpacked:.1f} s |"
    )


def main() -> None:
    """Print the table."""
    archive = "archive: pack + upload | archive: download + unpack"
    print(f"| packages | upload | unchanged | into a container | {archive} |")
    print("|---|--:|--:|--:|--:|--:|")
    s3 = Session(os.environ.get("AWS_REGION", "us-east-1")).client("s3")
    for megabytes in MEGABYTES:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(s3, megabytes, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
