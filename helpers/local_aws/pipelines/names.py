"""The names that SageMaker gives to executions, and to the jobs and models of their steps."""

import random
import re
import string

from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.local_aws.pipelines.steps import Step

_MAX_JOB_NAME, _MAX_TUNING_JOB_NAME = 63, 32


def new_execution_id() -> str:
    """Return the id of a new execution."""
    return _random_name(12, string.ascii_lowercase + string.digits)


def new_callback_token() -> str:
    """Return the token of a callback."""
    return _random_name(10, string.ascii_letters + string.digits)


def new_resource_name(step: Step, execution_id: str, failures: int) -> str:
    """Return a name for what a step creates: with its own name, or with the prefix that it asks for.

    A prefix is followed by the execution, a token and the count of failures, as the SDK documents:
    https://github.com/aws/sagemaker-python-sdk/pull/3946

    Args:
        step: with a name among its arguments if it asks for a prefix.
        execution_id: of the execution.
        failures: of the step, in this execution, before this request.
    """
    suffix = _random_name(10, string.ascii_letters + string.digits)
    prefix = step.arguments.get(STEP_REQUESTS[step.type].name_member or "")
    most = _MAX_TUNING_JOB_NAME if step.type == "Tuning" else _MAX_JOB_NAME
    ending = f"-{execution_id}-{suffix}-{failures}"
    if isinstance(prefix, str):
        return prefix[: most - len(ending)] + ending
    # Names of steps may have underscores, those of jobs may not.
    readable = re.sub(r"[^A-Za-z0-9-]", "-", step.name[:20])
    if step.type == "Tuning":
        return f"{execution_id}-{readable[:7]}-{suffix}"
    return f"pipelines-{execution_id}-{readable}-{suffix}"


def _random_name(length: int, characters: str) -> str:
    return "".join(random.choices(characters, k=length))  # noqa: S311 - a name
