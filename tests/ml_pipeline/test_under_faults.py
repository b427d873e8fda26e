"""Commands on an AWS that is slow, throttles, and propagates roles late; interrupted, and run again."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from helpers.aws import Session
from helpers.environments import Environment
from helpers.infra.stacks import StackConfiguration, deploy, load_stacks, waiting
from helpers.infra.stacks.__main__ import main as stacks
from helpers.infra.stacks.change_sets import create_change_set, execute
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.drift import DRIFTED
from helpers.infra.stacks.previews import with_new_expiry
from helpers.infra.stacks.waiting import Polling
from helpers.local_aws import lifecycle
from helpers.local_aws.fault_injection import inject
from helpers.local_aws.server_state import ServerState
from helpers.spark.event_log.rules.finding import Finding
from ml_pipeline.__main__ import main as pipelines
from ml_pipeline.releases import code_sweep
from ml_pipeline.spark import trials, tuning
from ml_pipeline.spark.tuning import Measurement
from tests.interruptions import (
    When,
    after_each_request,
    expiring_credentials,
    kill,
    operation_number,
    request_number,
)
from tests.ml_pipeline.small_project import HELPER, JOBS, REGION, ROLE_NAME
from tests.process_environment import restored_environment
from tests.quiet_console import QuietConsole

pytestmark = pytest.mark.faults

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
RIGHTS = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ROLE_ARN = f"arn:aws:iam::123456789012:role/{ROLE_NAME}"
FAULTS = {"throttling": 0.05, "stack_seconds": 0.3, "propagation_seconds": 4.0}
QUIET = QuietConsole()


@pytest.fixture(scope="module")
def server(small_project: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerState]:
    """A separate server with the role of the small project."""
    folder = tmp_path_factory.mktemp("local_aws")
    state, _ = lifecycle.up(folder, port=0)
    with restored_environment(), pytest.MonkeyPatch.context() as patch:
        os.environ.update(state.environment() | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION})
        iam = Session(REGION).client("iam")
        iam.create_role(RoleName=ROLE_NAME, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="all", PolicyDocument=json.dumps(RIGHTS))
        impatient = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: time.sleep(seconds / 10))
        patch.setattr(waiting, "time", impatient)
        yield state
        lifecycle.down(folder)


@pytest.fixture
def faulty(server: ServerState) -> ServerState:
    """The server with the initial faults of each test."""
    inject(server.endpoint, server.secret_key, **FAULTS)
    return server


ROLLBACK, SWEEP = ("rollback", "--to", "1"), ("sweep", "--only", "code", "--keep", "1")
COMMANDS = (
    ("plan",),
    ("deploy",),
    ("data",),
    ("upsert",),
    ("drift",),
    ("start", "--no-wait"),
    ("stop",),
    ("history",),
    ROLLBACK,
    SWEEP,
    ("outputs",),
    ("teardown", "--yes"),
)
"""All commands from setup to teardown, in order."""
OF_STACKS = ("deploy", "outputs")
"""The commands that do not use pipelines."""


def command(words: tuple[str, ...], environment: str, project: Path) -> int:
    arguments = [*words, "--env", environment]
    return (
        stacks([*arguments, "--infra", str(project / "infra")])
        if words[0] in OF_STACKS
        else pipelines(arguments)
    )


def upsert_other_code(environment: str, project: Path) -> None:
    """Upsert a second version with code that differs from this checkout."""
    (project / "spark_jobs" / HELPER).write_text("# other helpers\n")
    try:
        assert command(("upsert",), environment, project) == 0
    finally:
        (project / "spark_jobs" / HELPER).write_text(JOBS[HELPER])


BEFORE: Mapping[tuple[str, ...], Callable[[str, Path], None]] = {ROLLBACK: upsert_other_code}
"""Preparations for commands that need more than the previous ones leave."""
MOMENTS: Mapping[tuple[str, ...], Callable[[], When]] = {
    # Stopping needs a number of requests that depends on its time, or only one if the execution has ended.
    ("stop",): lambda: request_number(1),
    # The pipeline exists, but no record of it.
    ("upsert",): lambda: operation_number(1, "CreatePipeline"),
    ROLLBACK: lambda: operation_number(1, "UpdatePipeline"),
    SWEEP: lambda: operation_number(1, "DeleteObject"),
}
"""When a command is killed, if not halfway."""


def left_behind() -> list[str]:
    """Return the resources that would cost money, or would block the next environment."""
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


def test_a_command_that_is_interrupted_halfway_can_be_repeated(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command runs in one environment to count its requests, and is interrupted twice in another."""
    monkeypatch.setattr(code_sweep, "MINIMUM_AGE", timedelta(0))
    output = ""
    for words in COMMANDS:
        for environment in ("trial", "local") if words in BEFORE else ():
            BEFORE[words](environment, project)
        requests: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            after_each_request(requests.append, patch)
            assert command(words, "trial", project) == 0, words
        output += capsys.readouterr().out
        half = len(requests) // 2
        early = min(half, 2) if words in MOMENTS else half

        with expiring_credentials(faulty, ROLE_ARN, request_number(early)):
            code = command(words, "local", project)
        rejected = "AWS rejects the credentials (Expired" in capsys.readouterr().err
        assert (code, rejected) == (1, True) or words == ("stop",), words
        moment = MOMENTS[words]() if words in MOMENTS else request_number(half)
        kill(partial(command, words, "local", project), moment)
        assert command(words, "local", project) == 0, words

        printed = capsys.readouterr()
        output += printed.out
        beginnings = ("Waiting for ", "trial: account ")
        assert all(line.startswith(beginnings) for line in printed.err.splitlines()), printed.err

    assert output.count(", version 1.\n") == 2
    assert output.count(" is back to version 1 of ") == 2
    assert output.count(": nothing uses it.") == 2
    assert left_behind() == []


def test_a_command_waits_for_an_operation_of_another_and_works_on_what_is_there_then(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inject(faulty.endpoint, faulty.secret_key, throttling=0, stack_seconds=0)
    cloudformation = Session(REGION).client("cloudformation")
    first, last = load_stacks(Environment("local"))

    def begin(kind: Literal["CREATE", "UPDATE"], stack: StackConfiguration, *others_tags: str) -> None:
        """Start an operation like another user; the following operations are fast."""
        theirs = replace(stack, tags={**stack.tags, **dict.fromkeys(others_tags, "theirs")})
        planned = create_change_set(cloudformation, theirs, kind, Polling())
        inject(faulty.endpoint, faulty.secret_key, stack_seconds=3)
        execute(cloudformation, planned)
        inject(faulty.endpoint, faulty.secret_key, stack_seconds=0)

    def output_of(words: str, stack: StackConfiguration, code: int = 0) -> str:
        capsys.readouterr()
        assert command(tuple(words.split()), "local", project) == code
        output = capsys.readouterr()
        assert output.err.startswith(f"Waiting for {stack.name} (")
        return output.out

    deploy(cloudformation, first, QUIET)
    begin("CREATE", last)
    assert json.loads(output_of("outputs --json", last)).keys() >= {"DataBucketName", "Topic"}
    begin("UPDATE", first, "A")
    assert f"No changes to resources of {first.name}, only to its outputs, tags" in output_of("plan", first)
    begin("UPDATE", first, "A", "B")
    assert json.loads(output_of("drift --json", first, DRIFTED))["stacks"][0]["changes"]
    begin("UPDATE", first, "C")
    assert "UPDATE_COMPLETE" in output_of("deploy", first)
    begin("UPDATE", first, "D")
    assert f"{first.name} is deleted." in output_of("teardown --yes", first)
    assert left_behind() == []


def test_a_deployment_continues_when_credentials_expire(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inject(faulty.endpoint, faulty.secret_key, throttling=0, stack_seconds=2)

    with expiring_credentials(faulty, ROLE_ARN, operation_number(1, "ExecuteChangeSet")):
        assert command(("deploy",), "local", project) == 1
    output = capsys.readouterr().err
    assert "Continues on AWS: the operation on " in output
    assert "AWS rejects the credentials (ExpiredToken" in output

    assert command(("deploy",), "local", project) == 0
    assert command(("teardown", "--yes"), "local", project) == 0
    assert left_behind() == []


def test_a_sweep_of_previews_that_is_interrupted_continues(
    faulty: ServerState, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, long_ago = ("sweep", "--only", "previews"), datetime(2026, 1, 1, tzinfo=UTC)
    deploy_all(Session(REGION).client("cloudformation"), load_stacks(Environment("pr-7")), QUIET)
    assert command(("upsert",), "pr-7", project) == 0
    expired = with_new_expiry(load_stacks(Environment("pr-7")), long_ago)
    deploy_all(Session(REGION).client("cloudformation"), expired, QUIET)
    capsys.readouterr()

    with expiring_credentials(faulty, ROLE_ARN, operation_number(1, "DeletePipeline")):
        assert command(words, "local", project) == 1
    kill(lambda: command(words, "local", project), operation_number(1, "DeleteStack"))
    assert command(words, "local", project) == 0
    assert "Removed pr-7: it had expired." in capsys.readouterr().out
    assert left_behind() == []


SETTING = Finding("a", "seen", "change", "effect", settings={"spark.a": "2"}, seconds=5.0)


def test_a_tuning_that_is_interrupted_leaves_no_settings_on_trial(
    faulty: ServerState,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs take the same time with the setting and without it; the upserts between them are real."""
    words, file = ("tune", "--rounds", "1", "--pairs", "1"), project / "spark_jobs" / "configuration.json"
    original = file.read_text()
    monkeypatch.setattr(tuning, "FOLDER", file.parent)
    monkeypatch.setattr(tuning, "_measured", lambda *_: Measurement(10.0, [SETTING]))
    monkeypatch.setattr(trials, "FOLDER", tmp_path)
    assert command(("deploy",), "local", project) == 0

    with expiring_credentials(faulty, ROLE_ARN, operation_number(1, "UpdatePipeline")):
        assert command(words, "local", project) == 1
    assert (
        "the pipeline still has trial settings\nHint: Register the configuration again with: make upsert"
        in capsys.readouterr().err
    )
    assert file.read_text() == original

    # The first update restores the settings of the file.
    kill(lambda: command(words, "local", project), operation_number(2, "UpdatePipeline"))
    assert "spark.a" in file.read_text()
    assert command(words, "local", project) == 0
    output = capsys.readouterr().out
    assert f"Restored {file}" in output
    assert f"{file}: unchanged, nothing was faster." in output
    assert file.read_text() == original
    assert command(("drift",), "local", project) == 0, "the pipeline, too, is as before"
    assert not any(tmp_path.iterdir())
    assert command(("teardown", "--yes"), "local", project) == 0
    assert left_behind() == []
