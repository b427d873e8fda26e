"""Sessions use the region of an environment, regardless of environment variables."""

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

import helpers.aws
from helpers import environments
from helpers.aws import ANY_ENVIRONMENT, connect
from helpers.environments import LOCAL, Environment
from helpers.errors import UserError

REGION, OTHER = "eu-west-1", "sa-east-1"


@pytest.fixture(autouse=True)
def folder(aws: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with two environments in one region, and a shell that sets none."""
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path)
    for name in (LOCAL, "live"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"Region": REGION}))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    helpers.aws._print_once.cache_clear()


def test_a_session_is_in_the_region_of_the_environments_file() -> None:
    assert connect(Environment("live")).region_name == REGION


def test_the_embedded_aws_is_in_its_region_whatever_the_environment_variables_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", OTHER)
    monkeypatch.setenv("AWS_DEFAULT_REGION", OTHER)

    session = connect(Environment(LOCAL))

    assert session.region_name == REGION
    assert session.client("kms").meta.region_name == REGION


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_another_region_in_the_shell_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, OTHER)

    with pytest.raises(
        UserError,
        match=rf"{name} is {OTHER}, but live runs in {REGION}\nHint: Unset it.* infra/parameters/live\.json",
    ):
        connect(Environment("live"))


@pytest.mark.parametrize(("named", "rejected"), [(OTHER, True), (REGION, False)])
def test_another_region_in_the_profile_is_rejected_unless_the_shell_names_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, rejected: bool
) -> None:
    (tmp_path / "config").write_text(f"[default]\nregion = {named}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    if rejected:
        with pytest.raises(UserError, match=f"region in the AWS profile is {OTHER}, but live runs in"):
            connect(Environment("live"))
        monkeypatch.setenv("AWS_REGION", REGION)

    assert connect(Environment("live")).region_name == REGION


def test_the_embedded_aws_needs_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    with pytest.raises(UserError, match="ENV=local needs the embedded AWS"):
        connect(Environment(LOCAL))


LOOPBACK = "http://127.0.0.1:9"
"""An address where nothing listens: no request to AWS is allowed."""


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ENDPOINT_URL": LOOPBACK}, f"AWS_ENDPOINT_URL is {LOOPBACK}, which is on this machine"),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566"}, "AWS_ENDPOINT_URL is http://localhost:4566"),
        ({"AWS_ENDPOINT_URL": "http://[::1]:1"}, r"AWS_ENDPOINT_URL is http://\[::1\]:1"),
        (
            {"AWS_ENDPOINT_URL": "https://aws.example.com", "AWS_ENDPOINT_URL_S3": LOOPBACK},
            f"AWS_ENDPOINT_URL_S3 is {LOOPBACK}",
        ),
    ],
    ids=str,
)
def test_an_environment_in_aws_is_not_looked_for_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    monkeypatch.delenv(ANY_ENVIRONMENT)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(UserError, match=f"{message}.*but live is on AWS\nHint: .*set {ANY_ENVIRONMENT}=yes"):
        connect(Environment("live"))


def test_the_endpoint_of_a_profile_counts_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ANY_ENVIRONMENT)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    (tmp_path / "config").write_text(f"[default]\nendpoint_url = {LOOPBACK}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(UserError, match=f"endpoint_url of the AWS profile is {LOOPBACK}"):
        connect(Environment("live"))


def test_the_target_is_named_first_and_once(aws: boto3.Session, capsys: pytest.CaptureFixture[str]) -> None:
    connect(Environment("live"))
    connect(Environment("live"))

    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"live: account 123456789012, {REGION}, endpoint {os.environ['AWS_ENDPOINT_URL']}"


def test_the_embedded_aws_needs_no_such_permission(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(ANY_ENVIRONMENT)

    assert connect(Environment(LOCAL)).region_name == REGION
    assert capsys.readouterr().err == ""


LISTING = b"""<ListBucketResult><Contents><Key>a</Key><LastModified>2026-11-29T12:47:29.123Z</LastModified>
</Contents></ListBucketResult>"""


class Body(io.BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def test_times_of_listings_are_read_without_the_parser_of_any_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3 = helpers.aws.Session(REGION).client("s3")
    s3.meta.events.register(
        "before-send", lambda request, **_: AWSResponse(request.url, 200, HTTPHeaders(), Body(LISTING))
    )
    monkeypatch.setattr("dateutil.parser.parse", lambda _: pytest.fail("it takes hundreds of times as long"))

    (listed,) = s3.list_objects_v2(Bucket="data")["Contents"]

    assert listed["LastModified"] == datetime(2026, 11, 29, 12, 47, 29, 123000, UTC)
