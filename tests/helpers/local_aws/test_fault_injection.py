"""Fault injection: nothing by default, and what is asked for by one variable or while the server runs."""

import pytest

from helpers.errors import UserError
from helpers.local_aws.fault_injection import FaultInjection, Faults


def test_nothing_is_injected_by_default() -> None:
    injection = FaultInjection()

    assert injection.faults == Faults.parse("") == Faults(0, 0, 0, 0)
    assert not any(injection.throttles() for _ in range(100))


def test_faults_are_named_in_one_variable() -> None:
    assert Faults.parse("throttling=0.1, stack_seconds=2") == Faults(throttling=0.1, stack_seconds=2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slow=1", "slow is unknown; expected one of throttling, stack_seconds, propagation_seconds"),
        ("throttling=1", "throttling=1: expected a number from 0 to 0.99"),
        ("stack_seconds", "stack_seconds=: expected a number from 0 to 3600"),
        ("stack_seconds=-1", "stack_seconds=-1: expected a number from 0 to 3600"),
        ("stack_seconds=nan", "stack_seconds=nan: expected a number"),
        ("session_seconds=1h", "session_seconds=1h: expected a number"),
    ],
)
def test_what_cannot_be_injected_is_named(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=r"^LOCAL_AWS_FAULTS: ") as caught:
        Faults.parse(text)

    assert problem in str(caught.value)


def test_a_share_of_requests_is_throttled() -> None:
    injection = FaultInjection()
    injection.faults = Faults(throttling=0.25)

    assert 200 < sum(injection.throttles() for _ in range(1000)) < 300
