"""Checks the security controls of a pipeline definition before the pipeline is registered.

Security Hub has no controls for processing jobs. Without this check, a job outside the VPC would be noticed
only during an execution, when IAM denies its creation.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_pipeline.controls.image_accounts import OWN_IMAGE_ACCOUNTS
from ml_pipeline.controls.literal_secrets import secret_violations
from ml_pipeline.controls.rules import Rule, Violation, is_expression, rules
from ml_pipeline.controls.stale_results import stale_violations

_BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")


@dataclass(frozen=True)
class Finding:
    """A missing control: the step, the JSON path, the problem, and how to fix it."""

    step: str
    path: str
    problem: str
    fix: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{f'step {self.step}, ' if self.step else ''}{self.path}: {self.problem}; {self.fix}"


def findings(
    definition: Mapping[str, Any], own_image_accounts: Collection[str] = OWN_IMAGE_ACCOUNTS
) -> list[Finding]:
    """Return the missing controls of a definition, in the order of its steps.

    Args:
        definition: the JSON of the definition.
        own_image_accounts: IDs of accounts whose images are trusted, in addition to the accounts of AWS.
    """
    known = rules(own_image_accounts)
    found = []
    listed = list(_steps(definition.get("Steps"), "$.Steps"))
    for step, path in listed:
        name = step.get("Name") if isinstance(step, dict) else None
        others = [other for other, _ in listed if other is not step]
        violations = [*_step_violations(step, path, known), *stale_violations(step, path, others)]
        found += [Finding(name if isinstance(name, str) else "", *violation) for violation in violations]
    return found


def _steps(listed: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield each step with its JSON path, including those in branches. A missing list yields None."""
    if not isinstance(listed, list) or not listed:
        yield None, path
        return
    for index, step in enumerate(listed):
        place = f"{path}[{index}]"
        yield step, place
        arguments = step.get("Arguments") if isinstance(step, dict) else None
        for branch in _BRANCHES:
            if isinstance(arguments, dict) and arguments.get(branch):
                yield from _steps(arguments[branch], f"{place}.Arguments.{branch}")


def _step_violations(step: Any, path: str, known: Mapping[str, Sequence[Rule]]) -> Iterator[Violation]:
    if not isinstance(step, dict):
        yield Violation(path, "there is no step to check", "write a list of steps")
        return
    step_type = step.get("Type")
    if not isinstance(step_type, str) or step_type not in known:
        yield Violation(
            f"{path}.Type",
            f"the controls of steps of type {step_type} are not known",
            f"add it to ml_pipeline/controls/rules.py, or use a step of {', '.join(sorted(known))}",
        )
    else:
        for place, check in known[step_type]:
            for where, value in _values(step, place.split("."), path):
                yield from check(value, where)
    yield from secret_violations(_without_branches(step), path)


def _values(node: Any, parts: list[str], path: str) -> Iterator[tuple[str, Any]]:
    """Yield the values at a place with their JSON paths.

    A missing value is None. An expression at or above the place is yielded instead of the value.
    """
    if not parts or is_expression(node):
        yield path, node
        return
    names = parts[0].rstrip("*?").split("|")
    held = [name for name in names if isinstance(node, dict) and node.get(name) is not None]
    if not held and not any("?" in part for part in parts):
        missing = [names[0], *(part.rstrip("*?").split("|")[0] for part in parts[1:])]
        yield f"{path}.{'.'.join(missing)}", None
    for name in held:
        items = node[name] if "*" in parts[0] else None
        if isinstance(items, list):
            # In an empty list, the first item is missing.
            for index, item in enumerate(items or [None]):
                yield from _values(item, parts[1:], f"{path}.{name}[{index}]")
        else:
            yield from _values(node[name], parts[1:], f"{path}.{name}")


def _without_branches(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step without the steps in its branches, which are checked separately."""
    arguments = step.get("Arguments")
    if not isinstance(arguments, dict):
        return dict(step)
    return {**step, "Arguments": {key: item for key, item in arguments.items() if key not in _BRANCHES}}
