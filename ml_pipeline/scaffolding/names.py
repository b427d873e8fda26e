"""Validates the names of new pipelines and steps, and converts them to names of Python modules."""

import re
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from helpers.errors import UserError
from ml_pipeline.executions.target import ALL

ROOT = Path(__file__).resolve().parents[2]
_LONGEST = 40
"""The name of a job, which contains the name of its step, has at most 63 characters in SageMaker."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def module_of(name: str) -> str:
    """Return the name of the Python module of a pipeline or step, with underscores instead of hyphens."""
    return name.replace("-", "_")


def check_name(kind: str, name: str) -> None:
    """Check the name of a new pipeline or step.

    Args:
        kind: `pipeline` or `step`, for messages.
        name: the name.

    Raises:
        UserError: the name is not valid.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise UserError(
            f"{kind} {name!r} cannot have this name",
            hint=f"Use up to {_LONGEST} lower-case letters, digits and hyphens, beginning with a letter, "
            "such as join-rates",
        )
    if name == ALL or iskeyword(module_of(name)):
        raise UserError(
            f"{kind} {name!r} cannot have this name: it is a reserved word", hint="Choose another name"
        )


def check_job_name(step: str, root: Path = ROOT) -> None:
    """Check that the job of a new step does not hide a module of Python or a library, or a package of jobs.

    The folder of the job is the first one in which Spark searches for modules.

    Raises:
        UserError: a module or package of this name exists.
    """
    module = module_of(step)
    if (root / "spark_jobs" / module).is_dir():
        hidden = f"the package spark_jobs/{module}"
    elif find_spec(module) is not None:
        hidden = f"the Python module {module}"
    else:
        return
    raise UserError(
        f"step {step!r} cannot have this name: spark_jobs/{module}.py would hide {hidden}",
        hint=f"Choose another name, such as {step}-data",
    )
