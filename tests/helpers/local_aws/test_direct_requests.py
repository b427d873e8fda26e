"""Requests of the embedded AWS to itself: they arrive as over a socket, and botocore gets the answer."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.credentials import Credentials
from helpers.local_aws.service_clients import ServiceClients

NOWHERE = "http://127.0.0.1:1"
"""Where a request over a socket would fail."""


class Application:
    """Keeps the newest request, and returns a fixed answer."""

    def __init__(self) -> None:
        self.status, self.headers, self.content = "200 OK", [("ETag", '"1"')], b""
        self.environ: dict[str, Any] = {}
        self.body = b""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.environ, self.body = environ, environ["wsgi.input"].read()
        start_response(self.status, [*self.headers, ("Content-Length", str(len(self.content)))])
        return [self.content]


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def s3(application: Application) -> Any:
    return ServiceClients(NOWHERE, Credentials("key", "secret"), application).of("s3", "us-east-1")


@pytest.mark.parametrize("key", ["a b/ü+%.csv", "a//b", "a?b#c"])
def test_a_key_and_a_body_arrive(application: Application, s3: Any, key: str) -> None:
    s3.put_object(Bucket="data", Key=key, Body=b"1,2\n")

    assert application.environ["PATH_INFO"].encode("latin-1").decode() == f"/data/{key}"
    assert application.environ["REQUEST_METHOD"] == "PUT"
    assert application.environ["HTTP_HOST"] == NOWHERE.removeprefix("http://")
    assert "Credential=key/" in application.environ["HTTP_AUTHORIZATION"]
    assert application.body == b"1,2\n"


def test_a_file_arrives_whole(application: Application, s3: Any) -> None:
    content = bytes(range(256)) * 4_000  # below the size from which boto3 uploads in parts

    s3.upload_fileobj(io.BytesIO(content), "data", "large")

    assert content in application.body  # S3 strips what boto3 adds to check it


def test_a_query_arrives(application: Application, s3: Any) -> None:
    application.content = (
        b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
    )

    s3.list_objects_v2(Bucket="data", Prefix="a b&c=d", MaxKeys=7)

    assert "prefix=a%20b%26c%3Dd" in application.environ["QUERY_STRING"]
    assert "max-keys=7" in application.environ["QUERY_STRING"]


def test_an_object_is_read_in_parts(application: Application, s3: Any) -> None:
    application.content = b"0123456789"

    body = s3.get_object(Bucket="data", Key="a")["Body"]

    assert [body.read(4), body.read(4), body.read()] == [b"0123", b"4567", b"89"]


def test_an_error_is_raised_with_its_code(application: Application, s3: Any) -> None:
    application.status = "404 Not Found"
    application.content = b"<Error><Code>NoSuchKey</Code><Message>None.</Message></Error>"

    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="data", Key="a")


def test_json_is_answered(application: Application) -> None:
    clients = ServiceClients(NOWHERE, Credentials("key", "secret"), application)
    application.content = json.dumps({"logGroups": [{"logGroupName": "one"}]}).encode()

    (group,) = clients.of("logs", "eu-west-1").describe_log_groups()["logGroups"]

    assert group["logGroupName"] == "one"
    assert application.environ["HTTP_X_AMZ_TARGET"] == "Logs_20140328.DescribeLogGroups"
    assert json.loads(application.body) == {}
