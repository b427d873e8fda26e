"""Creating, updating and deleting the resources of a stack.

In the order of their references, with an event for each step, and back again when one fails; moto goes by the
order of the text, says nothing of the steps, and stays where it fails.
"""

import copy
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.parsing import OutputMap, clean_json

from helpers.local_aws.cloudformation.differences import changed_properties, is_wanted, must_replace
from helpers.local_aws.cloudformation.registry import mend_of
from helpers.local_aws.cloudformation.stack_resources import (
    Definition,
    add_event,
    create_resource,
    definitions_of,
    delete_resource,
    update_resource,
)
from helpers.local_aws.cloudformation.templates import dependencies, in_order


class DeploymentError(Exception):
    """A resource could not be created or updated."""

    def __init__(self, names: list[str]):
        super().__init__(f"The following resource(s) failed to {{}}: [{', '.join(names)}]. ")


def create(stack: Any, template: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Create the resources of a new stack; if one fails, delete the others again."""
    set_status(stack, "CREATE_IN_PROGRESS", "User Initiated")
    try:
        _bring_to(stack, template, parameters)
    except DeploymentError as error:
        set_status(stack, "ROLLBACK_IN_PROGRESS", str(error).format("create") + "Rollback requested by user.")
        failed = _delete_resources(stack)
        set_status(stack, "ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE")
    else:
        set_status(stack, "CREATE_COMPLETE")


def update(stack: Any, template: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Bring the resources of a stack to another template; if one fails, bring them back to the one before."""
    before = (stack.template_dict, dict(stack.parameters))
    set_status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
    try:
        _bring_to(stack, template, parameters)
    except DeploymentError as error:
        set_status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", str(error).format("update"))
        try:
            _bring_to(stack, *before)
        except DeploymentError:
            set_status(stack, "UPDATE_ROLLBACK_FAILED")
        else:
            set_status(stack, "UPDATE_ROLLBACK_COMPLETE")
    else:
        set_status(stack, "UPDATE_COMPLETE")


def delete(stack: Any) -> bool:
    """Delete the resources of a stack and tell whether that succeeded."""
    set_status(stack, "DELETE_IN_PROGRESS", "User Initiated")
    # Moto creates a resource when somebody looks at it: the outputs of a deleted stack would revive it.
    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
    failed = _delete_resources(stack)
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        set_status(stack, "DELETE_FAILED", reason)
    else:
        set_status(stack, "DELETE_COMPLETE")
    return not failed


def resources_of(stack: Any) -> list[Any]:
    """Return the resources that a stack has; moto lists its template's, and creates what is not there."""
    existing = [stack.resource_map._parsed_resources.get(name) for name in definitions_of(stack.resource_map)]
    return [resource for resource in existing if resource is not None]


def processed_template(stack: Any) -> dict[str, Any]:
    """Return the template of a stack after its transform: moto has the text that it was given only."""
    template: dict[str, Any] = copy.deepcopy(stack.template_dict)
    for definition in template.get("Resources", {}).values():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if policy in definition:
                definition[policy] = clean_json(definition[policy], stack.resource_map)
    return template


def set_status(stack: Any, status: str, reason: str | None = None) -> None:
    """Give a stack a status, and say so in its events."""
    stack.status, stack.status_reason = status, reason
    stack.stack_status_reason = reason
    stack._add_stack_event(status, resource_status_reason=reason)


def _bring_to(stack: Any, template: dict[str, Any], parameters: Mapping[str, str]) -> None:
    resources = stack.resource_map
    definitions = definitions_of(resources)
    old_order = in_order(resources._resource_json_map)
    new_tags = {key: tag for key, tag in resources.tags.items() if not key.startswith("aws:")} != stack.tags
    _load(stack, template, parameters)
    names = [name for name in in_order(template["Resources"]) if is_wanted(resources, name)]
    replaced: list[tuple[str, Any, Definition]] = []
    try:
        for name in names:
            new, old = clean_json(template["Resources"][name], resources), definitions.get(name)
            if old is not None and must_replace(old, new):
                reason = (
                    "Requested update requires the creation of a new physical resource; hence creating one."
                )
                add_event(stack, name, old, "UPDATE_IN_PROGRESS", reason)
                replaced.append((name, resources._parsed_resources.pop(name, None), old))
                del definitions[name]
                old = None
            _bring_resource_to(stack, name, old, new, new_tags=new_tags)
            definitions[name] = new
    finally:
        for name, resource, definition in reversed(replaced):
            delete_resource(stack, name, resource, definition, "UpdateReplacePolicy")
    for name in reversed(old_order):
        if name in definitions and name not in names:
            delete_resource(
                stack,
                name,
                resources._parsed_resources.pop(name, None),
                definitions.pop(name),
                "DeletionPolicy",
            )
    stack.output_map = stack._create_output_map()


def _bring_resource_to(
    stack: Any, name: str, old: Definition | None, new: Definition, *, new_tags: bool
) -> None:
    try:
        if old is None:
            create_resource(stack, name, new)
        elif changed_properties(old, new) or new_tags or mend_of(new["Type"]).always_updated:
            update_resource(stack, name, new, changed_properties(old, new))
    except Exception as error:
        add_event(stack, name, new, "UPDATE_FAILED" if old else "CREATE_FAILED", str(error) or repr(error))
        if old is None and (half_made := stack.resource_map._parsed_resources.pop(name, None)) is not None:
            delete_resource(stack, name, half_made, new, "")
        raise DeploymentError([name]) from error


def _load(stack: Any, template: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Give moto's map another template; moto itself keeps parameters that are no longer there."""
    resources = stack.resource_map
    stack.template_dict, stack.parameters = template, dict(parameters)
    stack.description = template.get("Description")
    resources._template, resources._resource_json_map = template, template["Resources"]
    resources.input_parameters, resources.resolved_parameters = dict(parameters), {}
    resources.tags = {
        **stack.tags,
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.stack_id,
    }
    resources.load()


def _delete_resources(stack: Any) -> list[str]:
    """Delete all resources, the dependent ones first, and return those that could not be."""
    definitions = definitions_of(stack.resource_map)
    failed: list[str] = []
    kept: set[str] = set()
    for name in reversed(in_order(stack.template_dict.get("Resources", {}))):
        if name not in definitions or name in kept:
            continue
        resource = stack.resource_map._parsed_resources.get(name)
        if delete_resource(stack, name, resource, definitions[name], "DeletionPolicy"):
            stack.resource_map._parsed_resources.pop(name, None)
            del definitions[name]
        else:
            failed.append(name)
            kept |= dependencies(stack.template_dict["Resources"], name)
    return failed
