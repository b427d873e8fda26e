"""The hash of code, and its upload to S3."""

from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.s3 import S3Uri, object_sha256, parse, sha256_of
from ml_pipeline.params import SparkCode
from ml_pipeline.params.spark_code import hash_of
from ml_pipeline.releases.staging import stage_code
from tests.ml_pipeline.small_project import ARTIFACTS

files = st.dictionaries(st.text(max_size=5), st.binary(max_size=5), min_size=1, max_size=4)


@given(files)
def test_the_hash_does_not_depend_on_the_order_of_the_files(code: dict[str, bytes]) -> None:
    assert hash_of(code.items()) == hash_of(reversed(code.items()))
    assert len(hash_of(code.items())) == 16


@given(files, files)
def test_the_hash_distinguishes_different_code(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (hash_of(one.items()) == hash_of(other.items())) == (one == other)


def test_bytes_cannot_move_between_name_and_content() -> None:
    assert hash_of([("ab", b"c")]) != hash_of([("a", b"bc")])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*/clean\.py\nHint: Create it, or name another"):
        SparkCode(tmp_path).read("clean.py")


def test_code_is_read_from_the_folder_once(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_bytes(b"1")
    code = SparkCode(tmp_path)
    before = code.hash(["clean.py"])

    (tmp_path / "clean.py").write_bytes(b"2")

    assert code.read("clean.py") == b"1"
    assert code.hash(["clean.py", "clean.py"]) == before, "what is staged is what the hash is of"
    assert SparkCode(tmp_path).hash(["clean.py"]) != before


def test_the_options_of_a_job_are_those_in_its_code(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("add('--rides', help='--not this'); x = '--rates'")
    (tmp_path / "broken.py").write_text("def (")
    code = SparkCode(tmp_path)

    assert code.options("clean.py") >= {"--rides", "--rates"}
    assert code.options("broken.py") == code.options("missing.py") == frozenset()


@pytest.fixture
def staged(stack: boto3.Session, tmp_path: Path) -> Mapping[str, bytes]:
    """A version of a job's code that no other test uploads, by URI."""
    code = {"clean.py": f"# {tmp_path}".encode(), "helpers.py": b"# helpers", "configuration.json": b"[]"}
    return {
        f"s3://{ARTIFACTS}-local/code/{hash_of(code.items())}/{name}": text for name, text in code.items()
    }


def test_code_is_staged_once_and_encrypted_by_its_bucket(
    stack: boto3.Session, staged: Mapping[str, bytes]
) -> None:
    s3 = stack.client("s3")

    first, second = stage_code(s3, staged), stage_code(s3, staged)

    assert first == list(staged)
    assert second == []
    for uri, content in staged.items():
        bucket, key = parse(uri)
        stored = s3.get_object(Bucket=bucket, Key=key)
        assert stored["Body"].read() == content
        default = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert stored["SSEKMSKeyId"] == default["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]


def test_only_what_is_not_there_is_staged(stack: boto3.Session, staged: Mapping[str, bytes]) -> None:
    s3, (first, *others) = stack.client("s3"), staged
    stage_code(s3, {first: staged[first]})

    assert stage_code(s3, staged) == others


def test_other_bytes_are_never_overwritten(stack: boto3.Session, staged: Mapping[str, bytes]) -> None:
    s3, uri = stack.client("s3"), next(iter(staged))
    stage_code(s3, staged)

    with pytest.raises(UserError, match=rf"{uri} holds other code.*\nHint: .*\$\{{CodeHash\}}"):
        stage_code(s3, {**staged, uri: b"# changed"})

    bucket, key = parse(uri)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == staged[uri]


def test_an_object_without_a_checksum_is_read(stack: boto3.Session) -> None:
    s3, uri = stack.client("s3"), S3Uri(f"{ARTIFACTS}-local", "plain")
    assert object_sha256(s3, uri) is None

    s3.put_object(Bucket=uri.bucket, Key=uri.key, Body=b"x")

    assert object_sha256(s3, uri) == sha256_of(b"x")
