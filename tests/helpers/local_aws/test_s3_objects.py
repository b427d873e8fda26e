"""Objects of the embedded S3 are listed and downloaded in memory, with the results and errors of S3."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from helpers.local_aws.api.response import ACCOUNT
from helpers.local_aws.application import EmbeddedAws
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.s3_objects import S3Objects
from helpers.local_aws.service_clients import ServiceClients
from helpers.s3 import S3Uri

NOWHERE = "http://127.0.0.1:1"
BUCKET = "objects-in-memory"


@pytest.fixture
def sent() -> list[str]:
    """The methods of the requests that reached S3."""
    return []


@pytest.fixture
def clients(tmp_path: Path, sent: list[str]) -> ServiceClients:
    aws = EmbeddedAws(NOWHERE, Credentials("key", "secret"), tmp_path)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        sent.append(environ["REQUEST_METHOD"])
        return aws(environ, start_response)

    return ServiceClients(NOWHERE, Credentials("key", "secret"), application)


@pytest.fixture
def s3(clients: ServiceClients, sent: list[str]) -> Iterator[Any]:
    """A client of an embedded AWS in this process, with a bucket."""
    s3 = clients.of("s3", "us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    sent.clear()
    yield s3
    memory().buckets[BUCKET].keys.clear()
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def stored(s3: Any, clients: ServiceClients) -> S3Objects:
    return clients.objects("us-east-1")


def memory() -> Any:
    """Return moto's S3."""
    return get_backend("s3")[ACCOUNT]["aws"]


def put(s3: Any, sent: list[str], **contents: bytes) -> None:
    for key, content in contents.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    sent.clear()


def deny(s3: Any, action: str, resource: str) -> None:
    denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denial]}))


def test_the_newest_content_arrives_without_a_request(
    stored: S3Objects, s3: Any, sent: list[str], tmp_path: Path
) -> None:
    for content in (b"one", b"two"):
        put(s3, sent, **{"a b/ü+%.csv": content})

        stored.download(S3Uri(BUCKET, "a b/ü+%.csv"), tmp_path / "file")

        assert (tmp_path / "file").read_bytes() == content
        assert sent == []


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a b/", "none", "+"])
def test_keys_are_listed_as_s3_lists_them(stored: S3Objects, s3: Any, sent: list[str], prefix: str) -> None:
    put(s3, sent, **dict.fromkeys(["b", "a/2", "a b/ü", "a/1", "a", "a/gone", "+1", "a/_/"], b"1"))
    s3.delete_object(Bucket=BUCKET, Key="a/gone")
    sent.clear()

    found = stored.keys(BUCKET, prefix)
    assert sent == []

    assert found == S3Objects(s3).keys(BUCKET, prefix)
    assert sent == ["GET"]
    assert "a/gone" not in found
    assert bool(found) == (prefix != "none")


def test_more_keys_than_a_page_are_listed(stored: S3Objects, s3: Any) -> None:
    for number in range(1_001):
        memory().put_object(BUCKET, f"{number:04}", b"")

    assert stored.keys(BUCKET, "") == S3Objects(s3).keys(BUCKET, "") == [f"{n:04}" for n in range(1_001)]


@pytest.mark.parametrize(("bucket", "code"), [(BUCKET, "NoSuchKey"), ("nowhere", "NoSuchBucket")])
def test_what_does_not_exist_is_an_error_of_s3(
    stored: S3Objects, tmp_path: Path, bucket: str, code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        stored.download(S3Uri(bucket, "none"), tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_a_deleted_object_does_not_exist(stored: S3Objects, s3: Any, sent: list[str], tmp_path: Path) -> None:
    put(s3, sent, a=b"1")
    s3.delete_object(Bucket=BUCKET, Key="a")

    with pytest.raises(ClientError, match="NoSuchKey"):
        stored.download(S3Uri(BUCKET, "a"), tmp_path / "file")


def test_a_bucket_that_does_not_exist_has_no_keys_but_an_error(stored: S3Objects) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        stored.keys("nowhere", "")


def test_a_bucket_policy_may_deny_reading(
    stored: S3Objects, s3: Any, sent: list[str], tmp_path: Path
) -> None:
    put(s3, sent, a=b"1")
    deny(s3, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")

    with pytest.raises(ClientError, match="403"):
        stored.download(S3Uri(BUCKET, "a"), tmp_path / "file")
    assert stored.keys(BUCKET, "") == ["a"]


def test_an_archived_object_cannot_be_read(stored: S3Objects, s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", StorageClass="GLACIER")

    with pytest.raises(ClientError, match="InvalidObjectState"):
        stored.download(S3Uri(BUCKET, "a"), tmp_path / "file")
