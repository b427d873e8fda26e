"""Interrupts commands after a response of AWS: kills them, or lets their credentials expire."""

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient

from helpers.aws import Session
from helpers.local_aws.fault_injection import inject
from helpers.local_aws.server_state import ServerState

When = Callable[[str], bool]
"""Returns whether to interrupt, from the operation that AWS has just completed."""


def request_number(number: int) -> When:
    """Return a function that is true after the given number of requests."""
    left = itertools.count(number - 1, -1)
    return lambda _: next(left) == 0


def operation_number(number: int, name: str) -> When:
    """Return a function that is true after the given number of requests for an operation."""
    left = itertools.count(number - 1, -1)
    return lambda operation: operation == name and next(left) == 0


def after_each_request(act: Callable[[str], object], patch: pytest.MonkeyPatch) -> None:
    """Call a function with the operation of each request after the response of AWS."""
    send = vars(BaseClient)["_make_api_call"]

    def sent(client: BaseClient, operation: str, arguments: Any) -> Any:
        answer = send(client, operation, arguments)
        act(operation)
        return answer

    patch.setattr(BaseClient, "_make_api_call", sent)


def kill(command: Callable[[], object], when: When) -> None:
    """Run a command in a process that dies after AWS has processed a request, but before it responds."""

    def die(operation: str) -> None:
        if when(operation):
            os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        with pytest.MonkeyPatch.context() as patch:
            after_each_request(die, patch)
            command()

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"


@contextmanager
def expiring_credentials(server: ServerState, role_arn: str, when: When) -> Iterator[None]:
    """Use credentials of a role in this process, which expire at a given moment."""
    sts = Session().client("sts")
    issued = sts.assume_role(RoleArn=role_arn, RoleSessionName="interrupted")["Credentials"]

    def expire(operation: str) -> None:
        if when(operation):
            inject(server.endpoint, server.secret_key, session_seconds=0.001)

    with pytest.MonkeyPatch.context() as patch:
        after_each_request(expire, patch)
        patch.setenv("AWS_ACCESS_KEY_ID", issued["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", issued["SecretAccessKey"])
        patch.setenv("AWS_SESSION_TOKEN", issued["SessionToken"])
        yield
    inject(server.endpoint, server.secret_key, session_seconds=0)
