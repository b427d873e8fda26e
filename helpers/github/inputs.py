"""What people type to start a workflow, validated before it reaches a shell, make or a role."""

import re
from collections.abc import Mapping

from helpers.environments import LOCAL, PREVIEW, Environment
from helpers.errors import UserError, one_per_line

_PREFIX = "INPUT_"
_VERSION = re.compile(r"[0-9a-f]{0,64}")
_PIPELINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,81})?")


def validate_inputs(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that a workflow is started for, and the GitHub environment that has its role.

    Args:
        variables: INPUT_ENVIRONMENT; for a teardown INPUT_CONFIRMATION, for a rollback INPUT_TO and
            INPUT_PIPELINE.

    Raises:
        UserError: an input cannot be used; the message names every one.
    """
    inputs = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in variables.items()
        if name.startswith(_PREFIX)
    }
    name = inputs.get("environment", "")
    problems = [*_environment_problems(name, teardown="confirmation" in inputs)]
    if inputs.get("confirmation", name) != name:
        problems.append("confirmation is not the name of the environment; type the name twice")
    if not _VERSION.fullmatch(inputs.get("to", "")):
        problems.append("to must be a version, a commit or a content hash, as `make history` lists them")
    if not _PIPELINE.fullmatch(inputs.get("pipeline", "")):
        problems.append("pipeline must be a name of letters, digits, hyphens and underscores")
    if problems:
        raise UserError(f"The workflow cannot start:{one_per_line(problems)}")
    return {"environment": name, "github": PREVIEW if Environment(name).is_preview else name}


def _environment_problems(name: str, *, teardown: bool) -> list[str]:
    try:
        environment = Environment(name)
    except ValueError as error:
        return [str(error)]
    if environment == LOCAL:
        return [f"{LOCAL} is the embedded AWS of a machine; use make there"]
    if teardown and environment.settings.protected:
        return [f"{name} is protected; an administrator removes it at a terminal: make teardown ENV={name}"]
    return []
