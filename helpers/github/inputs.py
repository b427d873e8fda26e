"""Validates the inputs of workflows that are started manually, before a shell, make or a role uses them."""

import json
import re
from collections.abc import (
    Iterator,  # part: model life cycle
    Mapping,
)

from helpers.environments import LOCAL, PREVIEW, Environment, is_preview
from helpers.errors import UserError, one_per_line
from helpers.github.workflows import region_variable

_PREFIX = "INPUT_"
_VERSION = re.compile(r"[0-9a-f]{0,64}")
_MODEL_VERSION = re.compile(r"[1-9][0-9]{0,5}")  # part: model life cycle
_PIPELINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,81})?")


def validate_inputs(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the jobs of a workflow need, from its inputs.

    The keys are `environment`, `github` (the GitHub environment that has the role), `approval` (`true` if a
    reviewer must approve), and the other inputs of the workflow, which may be empty.

    Args:
        variables: environment variables: INPUT_<NAME> for each input, CONFIGURED with the variables of the
            repository as JSON, and VISIBILITY of the repository.

    Raises:
        UserError: an input is not valid; the message names every problem.
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
    # begin: model life cycle
    if "from" in inputs:
        problems += _promotion_problems(inputs, variables)
    # end: model life cycle
    github = PREVIEW if is_preview(name) else name
    if not problems and not _is_set_up(github, variables):
        problems.append(
            f"{github} is not set up on GitHub; as an administrator, run: make github-setup ENV={github}"
        )
    if problems:
        raise UserError(
            f"The workflow cannot start:{one_per_line(problems)}",
            hint="Start the workflow again with corrected inputs",
        )
    environment = Environment(name)
    return {
        "environment": name,
        "github": github,
        "approval": str(not environment.is_preview and environment.settings.approval).lower(),
        "pipeline": inputs.get("pipeline", ""),
        "to": inputs.get("to", ""),
        "from": inputs.get("from", ""),  # part: model life cycle
        "version": inputs.get("version", ""),  # part: model life cycle
    }


def _environment_problems(name: str, *, teardown: bool) -> list[str]:
    try:
        environment = Environment(name)
    except UserError as error:
        return [error.in_one_line()]
    if environment == LOCAL:
        return [f"{LOCAL} is the embedded AWS of a machine; use make there"]
    settings = environment.settings
    if teardown and (settings.protected or settings.approval):
        why = "is protected" if settings.protected else "needs approval"
        return [f"{name} {why}; as an administrator, run at a terminal: make teardown ENV={name}"]
    return []


# begin: model life cycle
def _promotion_problems(inputs: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[str]:
    source = inputs["from"]
    if source == inputs.get("environment"):
        yield "from and environment are the same; name two environments"
    elif problems := _environment_problems(source, teardown=False):
        yield from problems
    elif not _is_set_up(source, variables):
        yield f"{source} is not set up on GitHub; as an administrator, run: make github-setup ENV={source}"
    if not _MODEL_VERSION.fullmatch(inputs.get("version", "")):
        yield "version must be a whole number from 1, as `make models` lists them"
    if variables.get("VISIBILITY") == "public":
        yield (
            "the repository is public, so everyone could download the model and its sample; promote it at a "
            "terminal: make promote"
        )


# end: model life cycle
def _is_set_up(github: str, variables: Mapping[str, str]) -> bool:
    """Return whether an environment exists on GitHub: a job creates one that does not, without protection."""
    return "CONFIGURED" not in variables or region_variable(github) in json.loads(variables["CONFIGURED"])
