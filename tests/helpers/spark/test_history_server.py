"""The history server's settings and failures; tests/e2e and tests/browser use a running one."""

import socket
import threading
from dataclasses import replace

import boto3
import pytest

from helpers.errors import UserError
from helpers.spark import history_server
from helpers.spark.history_server import Server, on_disk, on_s3, s3a_settings, serve


def test_secrets_are_in_the_environment_and_nowhere_else(aws: boto3.Session) -> None:
    session = boto3.Session("AKIAKEY", "the-secret", "the-token", region_name="eu-west-1")

    server = on_s3("s3://bucket/logs", session, 0)

    assert server.environment["AWS_SECRET_ACCESS_KEY"] == "the-secret"
    assert server.environment["AWS_SESSION_TOKEN"] == "the-token"
    assert not [value for value in server.settings.values() if "the-" in value or "AKIA" in value]
    assert server.settings["spark.history.fs.logDirectory"] == "s3a://bucket/logs/"
    assert server.settings["spark.history.ui.port"] == str(server.port)
    assert server.environment["SPARK_LOCAL_IP"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("endpoint", "path_style", "ssl"),
    [
        ("https://s3.eu-west-1.amazonaws.com", "false", "true"),
        ("https://s3.cn-north-1.amazonaws.com.cn", "false", "true"),
        ("http://127.0.0.1:4566", "true", "false"),
    ],
)
def test_the_embedded_aws_is_reached_by_path_and_without_tls(
    endpoint: str, path_style: str, ssl: str
) -> None:
    settings = s3a_settings(endpoint, "eu-west-1")

    assert settings["spark.hadoop.fs.s3a.endpoint"] == endpoint
    assert settings["spark.hadoop.fs.s3a.path.style.access"] == path_style
    assert settings["spark.hadoop.fs.s3a.connection.ssl.enabled"] == ssl


def test_a_port_that_is_taken_is_reported(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(UserError, match=r"Port \d+ of 127\.0\.0\.1 is taken\nHint: .*--port"):
            on_disk(tmp_path, taken.getsockname()[1])


def test_a_server_that_does_not_start_reports_why(tmp_path) -> None:
    server = on_disk(tmp_path, 0)
    broken: Server = replace(server, environment={**server.environment, "JAVA_HOME": "/nowhere"})

    with pytest.raises(UserError, match=r"did not start: .*/nowhere/bin/java"):
        serve(broken, pytest.fail, threading.Event())


def test_an_attempt_is_part_of_the_address() -> None:
    with_attempts = {"id": "application_1", "attempts": [{"attemptId": "2"}, {"attemptId": "1"}]}

    assert history_server._page(with_attempts) == "/history/application_1/2/jobs/"
    assert history_server._page({"id": "app-1", "attempts": [{}]}) == "/history/app-1/jobs/"
