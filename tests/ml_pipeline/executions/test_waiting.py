import io
from collections.abc import Callable
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from rich.console import Console

from ml_pipeline.definitions import Registration
from ml_pipeline.executions import waiting
from ml_pipeline.executions.executions import Snapshot, Step, start
from ml_pipeline.executions.target import Target
from ml_pipeline.executions.waiting import wait
from ml_pipeline.releases.registration import upsert

DEFINITION = """{"Version": "2020-12-01",
"Steps": [{"Name": "give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}]}"""


@pytest.fixture
def failing(stack: boto3.Session, role: str, target_of: Callable[..., Target]) -> str:
    """The ARN of an execution that fails immediately."""
    name = f"waited-for-{uuid4().hex}"
    upsert(stack.client("sagemaker"), name, Registration(DEFINITION, "Fails.", role, {}))
    return start(stack, target_of("trial", name))


@pytest.fixture
def target(target_of: Callable[..., Target]) -> Target:
    return target_of("trial")


@pytest.mark.parametrize("terminal", [True, False])
def test_an_execution_is_followed_to_its_end(
    terminal: bool, stack: boto3.Session, failing: str, target: Target
) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=terminal, force_interactive=terminal)

    snapshot, interrupted = wait(stack, failing, target, console)

    assert (snapshot.status, interrupted) == ("Failed", False)
    assert snapshot.steps[0].failure_reason.endswith("as asked")
    assert "step give-up Failed" in out.getvalue()
    assert ("Newest log line" in out.getvalue()) is terminal


def test_waiting_ends_at_its_time_while_the_execution_continues(
    stack: boto3.Session, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "take_snapshot", lambda _, arn: Snapshot(arn, "Executing"))
    monkeypatch.setattr(waiting.time, "sleep", lambda _: None)
    times = iter([0.0, 1.0, 10.0, 11.0, 20.0, 21.0])
    monkeypatch.setattr(waiting.time, "monotonic", lambda: next(times))

    snapshot, interrupted = wait(stack, "arn", target, Console(file=io.StringIO()), until=15)

    assert (snapshot.over, interrupted) == (False, False)
    assert next(times) == 21.0, "it was asked again until then"


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which `wait` waits."""
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def test_a_change_is_noticed_after_a_tenth_of_the_time_of_a_step(
    stack: boto3.Session, target: Target, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_snapshot(_: object, arn: str) -> Snapshot:
        second = Step("second", "Executing") if clock.now < 130 else Step("second", "Succeeded")
        steps = (Step("first", "Executing"),) if clock.now < 100 else (Step("first", "Succeeded"), second)
        return Snapshot(arn, "Succeeded" if clock.now >= 130 else "Executing", steps=steps)

    monkeypatch.setattr(waiting, "take_snapshot", take_snapshot)

    wait(stack, "arn", target, Console(file=io.StringIO()))

    pauses = clock.pauses
    first, second = pauses[: pauses.index(5.0) + 1], pauses[len(pauses) - pauses[::-1].index(5.0) :]
    assert first[:3] == second[:3] == [0.1, 0.1, 0.1]
    assert first == sorted(first)
    assert clock.now < 130 + 3
    assert len(pauses) < 120


def test_requests_become_rarer_while_aws_is_out_of_reach(
    stack: boto3.Session, target: Target, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_snapshot(_: object, arn: str) -> Snapshot:
        if clock.now < 100:
            raise EndpointConnectionError(endpoint_url="https://aws")
        return Snapshot(arn, "Succeeded")

    monkeypatch.setattr(waiting, "take_snapshot", take_snapshot)

    wait(stack, "arn", target, Console(file=io.StringIO()))

    assert clock.pauses[0] == 0.1
    assert clock.pauses[-1] == 5.0
    assert clock.pauses == sorted(clock.pauses)


def test_waiting_is_given_up_when_aws_stays_out_of_reach(
    stack: boto3.Session, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TIMEOUT_SECONDS", 0)
    nowhere = boto3.Session(region_name=stack.region_name).client(
        "sagemaker", endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1})
    )
    monkeypatch.setattr(stack, "client", lambda _service: nowhere)

    with pytest.raises(EndpointConnectionError, match=r"(?s)Continues on AWS: execution arn\n.*make status"):
        wait(stack, "arn", target, Console(file=io.StringIO()))


def test_an_execution_continues_when_credentials_expire(
    stack: boto3.Session, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = boto3.client("sagemaker", region_name=stack.region_name)
    monkeypatch.setattr(stack, "client", lambda _service: sagemaker)
    with Stubber(sagemaker) as stub:
        stub.add_client_error("describe_pipeline_execution", "ExpiredTokenException", "The token has expired")
        with pytest.raises(
            ClientError,
            match=r"(?s)ExpiredTokenException.*Continues on AWS: execution arn\nWatch",
        ):
            wait(stack, "arn", target, Console(file=io.StringIO()))


def test_a_second_ctrl_c_leaves_the_execution_to_aws(
    stack: boto3.Session, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []

    def ctrl_c(*_: object) -> Snapshot:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "take_snapshot", ctrl_c)
    monkeypatch.setattr(waiting, "stop", lambda _, arn: stopped.append(arn))
    out = io.StringIO()

    with pytest.raises(KeyboardInterrupt) as interruption:
        wait(stack, "arn", target, Console(file=out, width=200))

    assert stopped == ["arn"]
    assert "Interrupted: stopping arn\nPress Ctrl-C again to leave." in out.getvalue()
    assert interruption.value.__notes__ == [
        "Continues on AWS: execution arn",
        "Watch it with: make status ENV=trial",
        "Stop it with: make stop ENV=trial",
    ]
