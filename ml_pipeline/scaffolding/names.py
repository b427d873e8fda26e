"""The names of new pipelines and steps, and of their Python modules."""

import re
from importlib.util import find_spec
from keyword import iskeyword

from helpers.errors import UserError
from ml_pipeline.executions.target import ALL

_LONGEST = 40
"""SageMaker names a job after its step and cuts the name at 63 characters; lines of code have an end, too."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def module_of(name: str) -> str:
    """Return the Python module of a pipeline or a step, which has underscores for hyphens."""
    return name.replace("-", "_")


def check_name(kind: str, name: str) -> None:
    """Check the name of a new pipeline or step.

    Raises:
        UserError: it cannot be used.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise UserError(
            f"{kind} {name!r} cannot have this name",
            hint=f"Use up to {_LONGEST} lower-case letters, digits and hyphens, beginning with a letter, "
            "as join-rates",
        )
    if name == ALL or iskeyword(module_of(name)):
        raise UserError(
            f"{kind} {name!r} cannot have this name: it is a reserved word", hint="Choose another"
        )


def check_job_name(step: str) -> None:
    """Check that the job of a new step hides no module of Python or of a library.

    The job's folder comes first where Spark imports from.

    Raises:
        UserError: there is such a module.
    """
    if find_spec(module_of(step)) is not None:
        raise UserError(
            f"step {step!r} cannot have this name: spark_jobs/{module_of(step)}.py would hide the Python "
            f"module {module_of(step)}",
            hint=f"Choose another, as {step}-data",
        )
