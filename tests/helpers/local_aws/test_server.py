"""The life cycle of the server, its credentials, and how clients find it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.local_aws import lifecycle
from helpers.local_aws.server_state import SHELL_FILE, ServerState, state_folder


@pytest.fixture
def folder(tmp_path: Path):
    """A folder for a separate server, which is stopped after the test."""
    yield tmp_path
    lifecycle.down(tmp_path)


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "helpers.local_aws", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "LOCAL_AWS_HOME": str(folder), **environment},
        timeout=60,
        check=False,
    )


def gone(state: ServerState) -> bool:
    process = state.process()
    return process is None or process.wait(20) is None or state.process() is None


def test_up_starts_one_server_and_down_ends_it(folder) -> None:
    first = command(folder, "up")
    second = command(folder, "up")
    state = ServerState.load(folder)
    down = command(folder, "down")
    again = command(folder, "down")

    assert [result.returncode for result in (first, second, down, again)] == [0, 0, 0, 0]
    assert f"started at {state.endpoint}" in first.stdout
    assert f"runs at {state.endpoint}" in second.stdout
    assert "has ended" in down.stdout
    assert "does not run" in again.stdout
    assert gone(state)
    assert not (folder / "server.json").exists()


def test_two_ups_at_once_start_one_server(folder) -> None:
    states = []
    threads = [threading.Thread(target=lambda: states.append(lifecycle.up(folder, 0))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert states[0][0] == states[1][0]
    assert sorted(started for _, started in states) == [False, True]


def test_two_folders_have_servers_of_their_own(server, folder) -> None:
    other, _ = lifecycle.up(folder, 0)

    assert other.port != server.port
    assert other.access_key != server.access_key


def test_it_listens_on_loopback_only(server) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert set(listening) == {"127.0.0.1"}


def test_only_the_owner_reads_the_state(server, server_folder) -> None:
    assert (server_folder / "server.json").stat().st_mode & 0o777 == 0o600


def test_a_killed_server_is_forgotten_and_another_started(folder) -> None:
    state, _ = lifecycle.up(folder, 0)
    os.kill(state.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(state.pid)] if psutil.pid_exists(state.pid) else [], 5)

    env = command(folder, "env")
    up = command(folder, "up")

    assert env.returncode == 1
    assert "does not run\nHint: Start it with: make up" in env.stderr
    assert up.returncode == 0
    assert ServerState.load(folder).pid != state.pid


def test_a_server_that_nobody_can_find_ends(folder) -> None:
    """For example, if the checkout is removed while the server runs."""
    state, _ = lifecycle.up(folder, 0)

    (folder / "server.json").unlink()

    assert gone(state)


def test_another_process_with_the_same_id_is_not_taken_for_the_server(folder) -> None:
    mine = psutil.Process()
    ServerState(mine.pid, mine.create_time() - 60, 1, "key", "secret").save(folder)

    assert lifecycle.find(folder) is None
    assert lifecycle.down(folder) is False
    assert mine.is_running()


def test_a_taken_port_is_reported(folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = command(folder, "up", LOCAL_AWS_PORT=str(port))

    assert result.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken (the whole log: " in result.stderr
    assert "\nHint: Set LOCAL_AWS_PORT to another port" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (folder / "server.json").exists()


@pytest.mark.parametrize("port", ["http", "-1", "65536"])
def test_a_wrong_port_is_reported(folder, port) -> None:
    result = command(folder, "up", LOCAL_AWS_PORT=port)

    assert result.returncode == 1
    assert f"LOCAL_AWS_PORT is '{port}'\nHint: Set it to a port from 0 to 65535" in result.stderr


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path / "file" / "below"))

    with pytest.raises(UserError, match="cannot be written to"):
        state_folder()


def test_env_leads_a_shell_and_the_aws_command_to_the_server(server, server_folder, aws) -> None:
    """The user's own settings for AWS have no effect."""
    aws.client("s3").create_bucket(Bucket="listed-by-the-aws-command")
    script = f'eval "$({sys.executable} -m helpers.local_aws env)"; aws s3 ls; echo "$AWS_PROFILE"'
    result = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LOCAL_AWS_HOME": str(server_folder),
            "AWS_PROFILE": "production",
            "AWS_SESSION_TOKEN": "stale",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        },
        timeout=60,
        check=False,
    )

    assert "listed-by-the-aws-command" in result.stdout, result.stderr
    assert result.stdout.endswith("\n\n"), "AWS_PROFILE is not set any more"


def entered(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell with the environment of the embedded AWS, as make's recipes do."""
    script = f". {folder / SHELL_FILE}; {command}"
    return subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=60,
        check=False,
    )


def test_a_shell_with_the_variables_uses_the_embedded_aws_only(server, server_folder) -> None:
    result = entered(
        server_folder,
        'echo "$AWS_ENDPOINT_URL" "${AWS_PROFILE-unset}" "${AWS_ENDPOINT_URL_S3-unset}" "$AWS_CA_BUNDLE"',
        AWS_PROFILE="production",
        AWS_ENDPOINT_URL_S3="http://127.0.0.1:1",
        AWS_CA_BUNDLE="/certificates",
    )

    assert result.stdout.split() == [server.endpoint, "unset", "unset", "/certificates"]
    assert (server_folder / SHELL_FILE).stat().st_mode & 0o077 == 0


def test_the_server_of_a_process_that_is_gone_cannot_be_entered(server, tmp_path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    replace(server, pid=gone.pid).save(tmp_path)

    result = entered(tmp_path, "echo entered")

    assert result.returncode == 1
    assert result.stdout == ""
    assert "The embedded AWS does not run\nHint: Start it with: make up" in result.stderr


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sagemaker", "list_processing_jobs", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
    ],
)
def test_foreign_credentials_are_rejected_as_aws_does(server, service, call, code) -> None:
    client = boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
    )

    with pytest.raises(ClientError) as caught:
        getattr(client, call)()

    assert caught.value.response["Error"]["Code"] == code


def test_credentials_that_the_server_has_issued_are_taken(server, aws, role) -> None:
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    iam = aws.client("iam")
    iam.create_user(UserName="someone")
    user = iam.create_access_key(UserName="someone")["AccessKey"]

    for key in (session, user):
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
        )
        assert client.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_presigned_url_works(server, aws, bucket) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"content")
    url = aws.client("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})

    with urllib.request.urlopen(url) as response:
        assert response.read() == b"content"


def test_down_ends_the_jobs_that_run(folder, tmp_path, job) -> None:
    """No process of a job survives the server, whether it is stopped or killed."""
    pid_file = tmp_path / "pid"
    script = (
        f"import os,pathlib,time;pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()));time.sleep(600)"
    )
    for end in (lambda state: lifecycle.down(folder), lambda state: os.kill(state.pid, signal.SIGKILL)):
        pid_file.unlink(missing_ok=True)
        state, _ = lifecycle.up(folder, 0)
        session = boto3.Session(
            aws_access_key_id=state.access_key,
            aws_secret_access_key=state.secret_key,
            region_name="us-east-1",
        )
        principal = {"Service": "sagemaker.amazonaws.com"}
        trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        role = session.client("iam", endpoint_url=state.endpoint).create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust})
        )
        session.client("sagemaker", endpoint_url=state.endpoint).create_processing_job(
            ProcessingJobName="long", **job(script, RoleArn=role["Role"]["Arn"])
        )
        while not (pid_file.exists() and pid_file.read_text()):
            pass
        process = psutil.Process(int(pid_file.read_text()))

        end(state)

        psutil.wait_procs([process], 15)
        assert not process.is_running()
