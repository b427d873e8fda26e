"""What continues on CloudFormation after Ctrl-C, and how to follow, stop and resume it."""

import importlib
import io
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from helpers.environments import Environment
from helpers.infra.stacks import waiting
from helpers.infra.stacks.configuration import StackConfiguration
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.teardown import teardown
from helpers.infra.stacks.waiting import Polling, watch

CONSOLE = Console(file=io.StringIO())
WATCH = "Watch it with: aws cloudformation describe-stack-events --stack-name "


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C in the first pause between two requests."""

    def press(_: float) -> None:
        raise KeyboardInterrupt

    # Only in this module: threads of other tests, for example one that waits for a JVM, sleep too.
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=time.monotonic, sleep=press))


def notes(interruption: pytest.ExceptionInfo[KeyboardInterrupt]) -> list[str]:
    return interruption.value.__notes__


def stacks(*names: str) -> list[StackConfiguration]:
    return [StackConfiguration(Environment("local"), name, "{}", {}, {}) for name in names]


def test_an_operation_continues(ctrl_c: None) -> None:
    feed: Any = SimpleNamespace(take=list)
    cancel = "aws cloudformation cancel-update-stack --stack-name x-keys"

    with pytest.raises(KeyboardInterrupt) as interruption:
        watch(feed, "x-keys", CONSOLE, Polling(), cancel)

    assert notes(interruption) == [
        "Continues on AWS: the operation on x-keys",
        f"{WATCH}x-keys",
        f"Stop it with: {cancel}",
    ]


def test_an_operation_of_others_continues(ctrl_c: None, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = {"StackName": "x-keys", "StackStatus": "UPDATE_IN_PROGRESS"}
    monkeypatch.setattr(waiting, "find_stack", lambda *_: busy)
    cloudformation: Any = None

    with pytest.raises(KeyboardInterrupt) as interruption:
        waiting.wait_until_stable(cloudformation, "x-keys", Polling())

    assert notes(interruption) == ["Continues on AWS: the operation on x-keys", f"{WATCH}x-keys"]


def test_a_deployment_reports_which_stacks_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def deployed(_: object, stack: StackConfiguration, *__: object) -> dict[str, str]:
        if stack.name == "x-network":
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(importlib.import_module("helpers.infra.stacks.deploy"), "deploy", deployed)
    cloudformation: Any = None

    with pytest.raises(KeyboardInterrupt) as interruption:
        deploy_all(cloudformation, stacks("x-keys", "x-network", "x-roles"), CONSOLE)

    assert notes(interruption) == [
        "Deployed: x-keys. Not started: x-roles",
        "Continue with: make deploy ENV=local",
    ]


def test_a_teardown_reports_how_to_continue_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    module = importlib.import_module("helpers.infra.stacks.teardown")
    monkeypatch.setattr(module, "_delete", interrupted)
    monkeypatch.setattr(module, "find_stack", lambda _, name: {"StackName": name})
    monkeypatch.setattr(module, "wait_until_stable", lambda _, name, __: {"StackName": name})
    session: Any = SimpleNamespace(client=lambda _: None)

    with pytest.raises(KeyboardInterrupt) as interruption:
        teardown(session, stacks("x-keys"), CONSOLE)

    assert notes(interruption) == ["Continue with: make teardown ENV=local"]
