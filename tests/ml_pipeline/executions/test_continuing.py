"""Later jobs of a workflow continue the runs that its first job started."""

import json
import math
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.__main__ import main
from ml_pipeline.commands import start as command
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.executions import Execution, Snapshot, list_executions
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.registration import upsert
from tests.quiet_console import QuietConsole

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
BRANCH = {"Conditions": [EQUAL], "IfSteps": [], "ElseSteps": []}
SUCCEEDS = json.dumps(
    {"Version": "2020-12-01", "Steps": [{"Name": "nothing", "Type": "Condition", "Arguments": BRANCH}]}
)
FAILS = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}],
    }
)


@pytest.fixture
def pipeline(
    stack: boto3.Session, role: str, target_of: Callable[..., Target], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Target]:
    """Registers a pipeline for the command."""

    def make(definition: str) -> Target:
        target = target_of("trial", f"continued-{uuid4().hex}")
        upsert(stack.client("sagemaker"), target.name, Registration(definition, "A test.", role, {}))
        monkeypatch.setattr(command, "target_of", lambda *_: target)
        return target

    return make


def run(since: datetime | None, **more: Any) -> int:
    options = {"minutes": math.inf, "state": False, "cache": "on", "wait": True, **more}
    arguments = Namespace(env=Environment("trial"), pipeline="processing", since=since, **options)
    return command.run(arguments, QuietConsole())


def count(stack: boto3.Session, target: Target) -> int:
    return len(list(list_executions(stack.client("sagemaker"), target)))


def test_what_succeeded_since_is_not_started_again(
    stack: boto3.Session, pipeline: Callable[[str], Target]
) -> None:
    target, since = pipeline(SUCCEEDS), datetime.now(UTC) - timedelta(seconds=2)

    assert [run(since), run(since)] == [0, 0]

    assert count(stack, target) == 1
    assert run(datetime.now(UTC) + timedelta(seconds=2)) == 0
    assert count(stack, target) == 2, "what is older is someone else's"


def test_what_failed_is_started_again(stack: boto3.Session, pipeline: Callable[[str], Target]) -> None:
    """As with `Re-run failed jobs`, after the input was delivered."""
    target = pipeline(FAILS)

    assert [run(LONG_AGO), run(LONG_AGO)] == [1, 1]

    assert count(stack, target) == 2


@pytest.fixture
def followed(pipeline: Callable[[str], Target], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """A running execution; returns what was followed, and until when."""
    pipeline(SUCCEEDS)
    seen: list[tuple[str, float]] = []

    def wait(_: object, arn: str, __: object, ___: object, until: float) -> tuple[Snapshot, bool]:
        seen.append((arn, until))
        return Snapshot(arn, "Executing"), False

    running = Execution("arn-of-the-first-job", "Executing", datetime.now(UTC))
    monkeypatch.setattr(command, "list_executions", lambda *_: iter([running]))
    monkeypatch.setattr(command, "wait", wait)
    return seen


def test_one_that_runs_is_followed_for_some_time_and_then_left(
    followed: list[tuple[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.time, "monotonic", lambda: 1000.0)
    state = tmp_path / "outputs"
    state.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(state))

    assert run(LONG_AGO, minutes=5, state=True) == 0
    assert run(LONG_AGO, minutes=5) == command.STILL_RUNNING

    assert followed == [("arn-of-the-first-job", 1300.0)] * 2
    assert state.read_text() == "before=1\nrunning=true\n"


def test_what_is_over_is_not_running(
    pipeline: Callable[[str], Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(SUCCEEDS)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))

    assert run(LONG_AGO, state=True) == 0

    assert (tmp_path / "outputs").read_text() == "running=false\n"


def test_the_state_is_for_a_step_of_a_workflow(
    pipeline: Callable[[str], Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(SUCCEEDS)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)

    with pytest.raises(UserError, match="GITHUB_OUTPUT is not set"):
        run(LONG_AGO, state=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [("yesterday", "is not a time, as 2026-11-28T12:00:00Z"), ("2026-11-28T12:00:00", "has no time zone")],
)
def test_a_time_without_its_zone_is_rejected(
    capsys: pytest.CaptureFixture[str], given: str, message: str
) -> None:
    with pytest.raises(SystemExit):
        main(["start", "--since", given])

    assert message in capsys.readouterr().err
