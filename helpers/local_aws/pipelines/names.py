"""The names that SageMaker generates for executions, and for the jobs and models of their steps."""

import random
import re
import string

from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.local_aws.pipelines.steps import Step

_MAX_JOB_NAME, _MAX_TUNING_JOB_NAME = 63, 32


def new_execution_id() -> str:
    """Return an ID for a new execution."""
    return _random_name(12, string.ascii_lowercase + string.digits)


def new_callback_token() -> str:
    """Return a token for a new callback."""
    return _random_name(10, string.ascii_letters + string.digits)


def new_resource_name(step: Step, execution_id: str, failures: int) -> str:
    """Return a name for the resource of a step, based on the step's name or on the requested prefix.

    A prefix is followed by the execution, a token and the failure count, as the SDK documents:
    https://github.com/aws/sagemaker-python-sdk/pull/3946

    Args:
        step: a step, with a name in its arguments if it requests a prefix.
        execution_id: ID of the execution.
        failures: how often the step has failed in this execution before this request.
    """
    suffix = _random_name(10, string.ascii_letters + string.digits)
    prefix = step.arguments.get(STEP_REQUESTS[step.type].name_member or "")
    most = _MAX_TUNING_JOB_NAME if step.type == "Tuning" else _MAX_JOB_NAME
    ending = f"-{execution_id}-{suffix}-{failures}"
    if isinstance(prefix, str):
        return prefix[: most - len(ending)] + ending
    # Step names can contain underscores, job names cannot.
    readable = re.sub(r"[^A-Za-z0-9-]", "-", step.name[:20])
    if step.type == "Tuning":
        return f"{execution_id}-{readable[:7]}-{suffix}"
    return f"pipelines-{execution_id}-{readable}-{suffix}"


def _random_name(length: int, characters: str) -> str:
    return "".join(random.choices(characters, k=length))  # noqa: S311 - a name
