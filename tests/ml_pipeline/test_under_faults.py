"""Commands on an AWS that is slow, throttles, and knows new roles late."""

import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from rich.console import Console

from helpers.aws import Session
from helpers.environments import Environment
from helpers.infra.stacks import deploy, load_stacks, waiting
from helpers.infra.stacks.__main__ import main as stacks
from helpers.infra.stacks.status import is_changing
from helpers.local_aws import lifecycle
from helpers.local_aws.fault_injection import inject
from helpers.local_aws.server_state import ServerState
from ml_pipeline.__main__ import main as pipelines
from tests.ml_pipeline.small_project import REGION, ROLE_NAME

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
RIGHTS = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(scope="module")
def faulty(small_project: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerState]:
    """A server of its own, with the role that the small project names."""
    folder, before = tmp_path_factory.mktemp("local_aws"), dict(os.environ)
    state, _ = lifecycle.up(folder, port=0)
    os.environ.update(state.environment() | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION})
    inject(state.endpoint, state.secret_key, throttling=0.05, stack_seconds=0.3, propagation_seconds=4)
    iam = Session(REGION).client("iam")
    iam.create_role(RoleName=ROLE_NAME, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="all", PolicyDocument=json.dumps(RIGHTS))
    with pytest.MonkeyPatch.context() as patch:
        impatient = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: time.sleep(seconds / 10))
        patch.setattr(waiting, "time", impatient)
        yield state
    lifecycle.down(folder)
    os.environ.clear()
    os.environ.update(before)


COMMANDS = (
    ("plan",),
    ("deploy",),
    ("data",),
    ("upsert",),
    ("drift",),
    ("start", "--no-wait"),
    ("stop",),
    ("history",),
    ("teardown", "--yes"),
)
"""From nothing to nothing, in the order of use."""


def command(words: tuple[str, ...], environment: str, project: Path) -> int:
    arguments = [*words, "--env", environment]
    return (
        stacks([*arguments, "--infra", str(project / "infra")]) if "deploy" in words else pipelines(arguments)
    )


def after_each_request(act: Callable[[str], None], patch: pytest.MonkeyPatch) -> None:
    """Call a function with the operation of each request, once AWS has answered it."""
    send = vars(BaseClient)["_make_api_call"]

    def sent(client: BaseClient, operation: str, arguments: Any) -> Any:
        answer = send(client, operation, arguments)
        act(operation)
        return answer

    patch.setattr(BaseClient, "_make_api_call", sent)


def kill_at(request: int, words: tuple[str, ...], environment: str, project: Path) -> None:
    """Run a command in a process that dies when AWS has done what it asked for, and it has not heard so."""
    left = itertools.count(request - 1, -1)

    def die_at_last(_: str) -> None:
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        with pytest.MonkeyPatch.context() as patch:
            after_each_request(die_at_last, patch)
            command(words, environment, project)

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, words


def wait_for_stacks() -> None:
    """Wait until no operation on a stack is in progress."""
    cloudformation = Session(REGION).client("cloudformation")
    while any(is_changing(each) for each in cloudformation.describe_stacks()["Stacks"]):
        pass


def left_behind() -> list[str]:
    """Return what an environment has cost money for, or would be in the way of the next one."""
    session = Session(REGION)
    stacks = session.client("cloudformation").list_stacks()["StackSummaries"]
    keys = session.client("kms").list_keys()["Keys"]
    states = [session.client("kms").describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in keys]
    return [
        *(each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"),
        *(each["PipelineName"] for each in session.client("sagemaker").list_pipelines()["PipelineSummaries"]),
        *(each["Name"] for each in session.client("s3").list_buckets()["Buckets"]),
        *(each["KeyId"] for each in states if each["KeyState"] != "PendingDeletion"),
    ]


def test_a_command_that_is_killed_halfway_can_be_repeated(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each runs in one environment, which counts its requests, and dies in another before it runs there."""
    for words in COMMANDS:
        requests: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            after_each_request(requests.append, patch)
            assert command(words, "trial", project) == 0, words

        # To stop takes as many requests as it takes time, and one where the execution is over meanwhile.
        kill_at(1 if words == ("stop",) else len(requests) // 2, words, "local", project)
        if words == ("plan",):
            wait_for_stacks()  # as the command asks its user to; the others wait by themselves
        assert command(words, "local", project) == 0, words

    said = capsys.readouterr()
    assert "version 1" in said.out
    assert [line for line in said.err.splitlines() if not line.startswith("trial: account ")] == []
    assert left_behind() == []


def test_a_command_waits_for_an_operation_of_another(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inject(faulty.endpoint, faulty.secret_key, throttling=0, stack_seconds=2)
    codes: list[int] = []
    other = threading.Thread(target=lambda: codes.append(command(("deploy",), "local", project)))
    cloudformation = Session(REGION).client("cloudformation")
    other.start()
    while not cloudformation.list_stacks(StackStatusFilter=["CREATE_IN_PROGRESS"])["StackSummaries"]:
        assert other.is_alive()
    console = Console(record=True, width=200)

    deploy(cloudformation, load_stacks(Environment("local"))[0], console)
    other.join()

    said = console.export_text()
    assert codes == [0]
    assert said.index("Waiting for small-project-local-foundation, on which") < said.index("No changes")
    assert command(("teardown", "--yes"), "local", project) == 0


def test_a_deployment_goes_on_when_credentials_expire(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    role = Session(REGION).client("iam").get_role(RoleName=ROLE_NAME)["Role"]["Arn"]
    sts = Session(REGION).client("sts")
    issued = sts.assume_role(RoleArn=role, RoleSessionName="deployment")["Credentials"]
    inject(faulty.endpoint, faulty.secret_key, throttling=0, stack_seconds=2)

    def expire(operation: str) -> None:
        if operation == "ExecuteChangeSet":
            inject(faulty.endpoint, faulty.secret_key, session_seconds=0.001)

    with pytest.MonkeyPatch.context() as patch:
        after_each_request(expire, patch)
        patch.setenv("AWS_ACCESS_KEY_ID", issued["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", issued["SecretAccessKey"])
        patch.setenv("AWS_SESSION_TOKEN", issued["SessionToken"])
        assert command(("deploy",), "local", project) == 1
    said = capsys.readouterr().err
    assert "CloudFormation goes on without this command" in said
    assert "AWS refuses the credentials (ExpiredToken" in said

    assert command(("deploy",), "local", project) == 0
    assert command(("teardown", "--yes"), "local", project) == 0
    assert left_behind() == []
