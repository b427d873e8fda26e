"""The upload of packages to S3: each set once, complete, and after all checks."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from helpers.errors import UserError
from helpers.spark.packages.bundle import Bundle
from helpers.spark.packages.layout import MANIFEST
from ml_pipeline.releases.package_staging import PackageStaging

MANIFEST_TEXT = '{"python": "3.12", "platform": "none", "requirements": [], "files": {"python/a.py": 1}}'


class OneFile(Bundle):
    """A bundle with one file, which counts its downloads."""

    assembled: list[Path]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "assembled", [])

    def assemble(self, folder: Path, own_modules: Collection[str] = ()) -> Mapping[str, Path]:
        self.assembled.append(folder)
        (folder / "a.py").write_text("1")
        (folder / MANIFEST).write_text(MANIFEST_TEXT)
        return {"python/a.py": folder / "a.py", MANIFEST: folder / MANIFEST}


class Rejecting(Bundle):
    """A bundle whose download fails."""

    def assemble(self, folder: Path, own_modules: Collection[str] = ()) -> Mapping[str, Path]:
        raise UserError("requirements.txt:1: another hash")


@pytest.fixture
def folder(stack: boto3.Session) -> Iterator[str]:
    bucket = f"packages-{uuid4().hex}"
    stack.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": stack.region_name}
    )
    return f"s3://{bucket}/code/0123456789abcdef"


def keys(s3: Any, folder: str) -> set[str]:
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {entry["Key"].removeprefix(f"{prefix}/") for entry in listed}


def stage(s3: Any, folder: str, bundle: Bundle) -> int:
    with PackageStaging(s3) as staging:
        staging.prepare({folder: bundle}, ())
        return staging.upload(folder)


def test_packages_are_downloaded_and_uploaded_once(stack: boto3.Session, folder: str) -> None:
    s3, bundle = stack.client("s3"), OneFile()

    assert stage(s3, folder, bundle) == 1 + len(MANIFEST_TEXT)
    assert keys(s3, folder) == {"python/a.py", MANIFEST}
    assert stage(s3, folder, bundle) == 0
    assert len(bundle.assembled) == 1
    assert not bundle.assembled[0].exists(), "what was downloaded is removed"


@pytest.mark.parametrize("lost", ["python/a.py", MANIFEST])
def test_what_an_interrupted_upload_left_out_is_completed(
    stack: boto3.Session, folder: str, lost: str
) -> None:
    s3, bundle = stack.client("s3"), OneFile()
    stage(s3, folder, bundle)
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}/{lost}")

    assert stage(s3, folder, bundle) == (1 if lost == "python/a.py" else len(MANIFEST_TEXT))
    assert keys(s3, folder) == {"python/a.py", MANIFEST}


def test_nothing_is_uploaded_where_one_of_several_sets_cannot_be_had(
    stack: boto3.Session, folder: str
) -> None:
    s3 = stack.client("s3")

    with PackageStaging(s3) as staging, pytest.raises(UserError, match="another hash"):
        staging.prepare({folder: OneFile(), f"{folder}0": Rejecting()}, ())
    assert keys(s3, folder) == set()
