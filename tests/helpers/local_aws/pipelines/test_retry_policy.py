from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.pipelines.retry_policy import (
    DEFAULT_POLICIES,
    RetryPolicy,
    parse_retry_policy,
    retry_delay,
)

FAULT = "Step.SERVICE_FAULT"
INTERNAL = "SageMaker.JOB_INTERNAL_ERROR"


def test_service_faults_are_retried_five_times_without_a_policy() -> None:
    delays = [retry_delay(DEFAULT_POLICIES, FAULT, retries, 0) for retries in range(6)]

    assert delays == [1, 2, 4, 8, 16, None]


def test_a_failing_job_is_not_retried_without_a_policy() -> None:
    assert retry_delay(DEFAULT_POLICIES, INTERNAL, 0, 0) is None


def test_the_first_policy_that_names_the_exception_counts() -> None:
    policies = (RetryPolicy(frozenset({FAULT}), 7), RetryPolicy(frozenset({INTERNAL, FAULT}), 3))

    assert retry_delay(policies, FAULT, 0, 0) == 7
    assert retry_delay(policies, INTERNAL, 0, 0) == 3


@given(
    interval=st.integers(1, 100),
    backoff=st.floats(1, 4),
    minutes=st.integers(1, 60),
    retries=st.integers(0, 30),
    elapsed=st.floats(0, 7200),
)
def test_no_retry_begins_after_the_expiry(
    interval: int, backoff: float, minutes: int, retries: int, elapsed: float
) -> None:
    policy = RetryPolicy(frozenset({FAULT}), interval, backoff, 100, minutes * 60)

    delay = retry_delay([policy], FAULT, retries, elapsed)

    assert delay is None or elapsed + delay <= minutes * 60


def test_a_whole_policy_is_read() -> None:
    policy, problems = parse_retry_policy(
        {"ExceptionType": [INTERNAL], "IntervalSeconds": 5, "BackoffRate": 1.5, "ExpireAfterMin": 2}, "here"
    )

    assert problems == []
    assert policy == RetryPolicy(frozenset({INTERNAL}), 5, 1.5, 2**31, 120)


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({}, "here.ExceptionType must be a list"),
        ({"ExceptionType": ["Step.TYPO"]}, "'Step.TYPO' is unknown"),
        ({"ExceptionType": [FAULT], "MaxAttempt": 1}, "unknown key 'MaxAttempt'"),
        ({"ExceptionType": [FAULT], "MaxAttempts": 21}, "MaxAttempts must be a number from 0 to 20"),
        ({"ExceptionType": [FAULT], "IntervalSeconds": 43201}, "IntervalSeconds must be"),
        ({"ExceptionType": [FAULT], "BackoffRate": "2"}, "BackoffRate must be"),
        ({"ExceptionType": [FAULT], "MaxAttempts": True}, "MaxAttempts must be"),
        ({"ExceptionType": [FAULT], "MaxAttempts": 1, "ExpireAfterMin": 1}, "only one is allowed"),
    ],
)
def test_a_wrong_policy_is_rejected(policy: dict[str, Any], problem: str) -> None:
    parsed, problems = parse_retry_policy(policy, "here")

    assert parsed is None
    assert any(problem in text for text in problems)
