"""Decides when a failed step is retried (developer guide, "Retry Policy for Pipeline Steps")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STEP_EXCEPTIONS = frozenset({"Step.SERVICE_FAULT", "Step.THROTTLING"})
JOB_EXCEPTIONS = frozenset(
    {"SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"}
)


@dataclass(frozen=True)
class RetryPolicy:
    """One entry of a step's `RetryPolicies`."""

    exception_types: frozenset[str]
    interval_seconds: float = 1
    backoff_rate: float = 2.0
    max_attempts: int = 5
    expire_after_seconds: float | None = None


DEFAULT_POLICIES = (RetryPolicy(STEP_EXCEPTIONS),)
"""The retry policies of a step that defines none."""


def parse_retry_policy(policy: Mapping[str, Any], path: str) -> tuple[RetryPolicy | None, list[str]]:
    """Return a policy of a pipeline definition, or None with its problems."""
    problems = [
        f"{path} has the unknown key '{key}'"
        for key in policy
        if key not in {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}
    ]
    exception_types = policy.get("ExceptionType")
    if not isinstance(exception_types, list) or not exception_types:
        problems.append(f"{path}.ExceptionType must be a list of exception types")
        exception_types = []
    known = STEP_EXCEPTIONS | JOB_EXCEPTIONS
    problems += [
        f"{path}.ExceptionType '{name}' is unknown; known are {', '.join(sorted(known))}"
        for name in exception_types
        if name not in known
    ]
    if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
        problems.append(f"{path} has both MaxAttempts and ExpireAfterMin; only one is allowed")
    for key, low, high in (
        ("IntervalSeconds", 1, 43_200),
        ("BackoffRate", 1, float("inf")),
        ("MaxAttempts", 0, 20),
        ("ExpireAfterMin", 1, 14_400),
    ):
        value = policy.get(key, low)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            problems.append(f"{path}.{key} must be a number from {low} to {high}, not {value!r}")
    if problems:
        return None, problems
    expires = policy.get("ExpireAfterMin")
    return (
        RetryPolicy(
            frozenset(exception_types),
            policy.get("IntervalSeconds", 1),
            policy.get("BackoffRate", 2.0),
            # If the expiry is a time, the number of attempts does not end the retries.
            policy.get("MaxAttempts", 5 if expires is None else 2**31),
            None if expires is None else expires * 60,
        ),
        [],
    )


def retry_delay(
    policies: Sequence[RetryPolicy], exception_type: str, retries: int, elapsed_seconds: float
) -> float | None:
    """Return the seconds until the next attempt, or None if the step is not retried.

    Args:
        policies: the step's policies, or `DEFAULT_POLICIES`; the first one for the exception applies.
        exception_type: how the attempt failed, such as `SageMaker.JOB_INTERNAL_ERROR`.
        retries: how often the step has been retried.
        elapsed_seconds: time since the first attempt started.
    """
    policy = next((policy for policy in policies if exception_type in policy.exception_types), None)
    if policy is None or retries >= policy.max_attempts:
        return None
    delay = policy.interval_seconds * policy.backoff_rate**retries
    if policy.expire_after_seconds is not None and elapsed_seconds + delay > policy.expire_after_seconds:
        return None
    return delay
