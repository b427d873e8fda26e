"""Commands on an AWS that is slow, throttles, and knows new roles late."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.aws import Session
from helpers.infra.stacks.__main__ import main as stacks
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
    yield state
    lifecycle.down(folder)
    os.environ.clear()
    os.environ.update(before)


def test_an_environment_is_deployed_used_and_deleted(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stacks(["deploy", "--env", "trial", "--infra", str(project / "infra")]) == 0
    for command in ("data", "upsert", "plan", "drift", "history"):
        assert pipelines([command, "--env", "trial"]) == 0, command
    assert pipelines(["teardown", "--env", "trial", "--yes"]) == 0

    said = capsys.readouterr()
    assert "version 1" in said.out
    assert said.err == ""


def test_a_command_waits_for_an_operation_of_another(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inject(faulty.endpoint, faulty.secret_key, throttling=0, stack_seconds=2)
    deploy = ["deploy", "--env", "local", "--infra", str(project / "infra")]
    codes: dict[str, Any] = {}
    other = threading.Thread(target=lambda: codes.update(other=stacks(deploy)))
    cloudformation = Session(REGION).client("cloudformation")
    other.start()
    while not cloudformation.list_stacks(StackStatusFilter=["CREATE_IN_PROGRESS"])["StackSummaries"]:
        assert other.is_alive()

    codes["own"] = stacks(deploy)
    other.join()

    assert codes == {"own": 0, "other": 0}
    assert "Waiting for small-project-local-" in capsys.readouterr().out
    assert pipelines(["teardown", "--env", "local", "--yes"]) == 0
