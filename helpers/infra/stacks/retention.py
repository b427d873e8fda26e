"""Edits the template of a stack so that it retains some resources, and nothing else changes."""

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import yaml

from helpers.errors import UserError, one_per_line
from helpers.infra.stacks.status import processed_resources

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

    from helpers.infra.stacks.change_sets import PlannedChangeSet

_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_RETENTION = frozenset({*_POLICIES, "Metadata"})
_RETAINS = frozenset({"Retain", "RetainExceptOnCreate"})

Edit = tuple[int, int, str]
"""Start index, end index, and replacement."""


def retaining(text: str, names: Collection[str]) -> str:
    """Return a template in which some resources are retained if the stack is deleted.

    Resources without Metadata get it as well. CloudFormation does not update a stack if only a DeletionPolicy
    changes, and Metadata does not change the resource.

    Args:
        text: a template, in YAML or JSON.
        names: the logical ids of the resources.
    """
    root: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    resources = next(value for key, value in root.value if key.value == "Resources")
    edits = [edit for key, node in resources.value if key.value in names for edit in _edits(text, node)]
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _edits(text: str, definition: yaml.MappingNode) -> Iterator[Edit]:
    attributes = {key.value: value for key, value in definition.value}
    first = definition.value[0][0].start_mark
    added = ""
    for name in (*_POLICIES, "Metadata"):
        value = '"Retain"' if name in _POLICIES else '{"Retained": "for another stack"}'
        if name not in attributes:
            end = ", " if definition.flow_style else f"\n{' ' * first.column}"
            added += f'"{name}": {value}{end}'
        elif name in _POLICIES:
            start, stop = attributes[name].start_mark.index, attributes[name].end_mark.index
            # A block ends where the next token begins.
            yield start, start + len(text[start:stop].rstrip()), value
    yield first.index, first.index, added


def original_template(cloudformation: "CloudFormationClient", name_or_id: str) -> str:
    """Return the template of a stack as it was submitted."""
    # boto3 parses a template in JSON.
    body: Any = cloudformation.get_template(StackName=name_or_id, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


def reject_more_than_retention(planned: "PlannedChangeSet") -> None:
    """Raise a UserError if a change set changes more than policies and metadata."""
    more = [
        f"{change.logical_id} ({change.resource_type}): {change.action} {change.what}"
        for change in planned.changes
        if change.action != "change" or not {*change.what.split(", ")} <= _RETENTION
    ]
    if more:
        raise UserError(
            f"{planned.stack_name} must only be updated to retain resources, but these would change as "
            f"well:{one_per_line(more)}",
            hint="Undo these changes, then run the command again",
        )


def not_retained(
    cloudformation: "CloudFormationClient", name_or_id: str, names: Collection[str]
) -> dict[str, str]:
    """Return those of some resources that would be deleted with a stack, with their DeletionPolicy.

    The processed template is read, in which transforms are resolved.
    """
    resources = processed_resources(cloudformation, name_or_id)
    policies = {name: resources.get(name, {}).get("DeletionPolicy", "Delete") for name in names}
    return {name: str(policy) for name, policy in policies.items() if policy not in _RETAINS}
