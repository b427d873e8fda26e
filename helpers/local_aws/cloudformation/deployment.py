"""Creates, updates and deletes the resources of a stack.

Resources are processed in the order of their references, with an event for each step. If a resource fails,
the changes are rolled back. After any failure, the stack has a status from which you can continue.
"""

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudformation.parsing import generate_resource_name
from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.cloudformation.changes import changed_properties, is_wanted, must_replace
from helpers.local_aws.cloudformation.resource_types import resource_type
from helpers.local_aws.cloudformation.resource_types.base import Definition, Resource, ResourceType
from helpers.local_aws.cloudformation.resource_types.moto_model import NotEmulated
from helpers.local_aws.cloudformation.stack_context import StackContext, resolved
from helpers.local_aws.cloudformation.stacks import Export, Stack, Target, now
from helpers.local_aws.cloudformation.templates.functions import Functions
from helpers.local_aws.cloudformation.templates.references import dependencies, in_order

Exports = Mapping[str, Export]


class DeploymentError(Exception):
    """A resource could not be created or updated."""

    def __init__(self, name: str):
        super().__init__(f"The following resource(s) failed to {{}}: [{name}]. ")


def create(stack: Stack, target: Target, exports: Exports) -> None:
    """Create the resources of a new stack; if one fails, delete the others."""
    try:
        _reconcile(stack, target, exports)
    except Exception as error:
        reason = _reason(error).format("create")
        stack.set_status("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        stack.outputs, stack.exports = [], []
        failed = _delete_resources(stack)
        stack.set_status("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE")
    else:
        stack.set_status("CREATE_COMPLETE")


def update(stack: Stack, target: Target, exports: Exports, tags: Mapping[str, str]) -> None:
    """Update the resources of a stack to another template; if one fails, roll back."""
    before, tags_before = stack.target, stack.tags
    discarded: list[Resource] = []
    try:
        _reconcile(stack, target, exports, tags, discarded)
    except Exception as error:
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", _reason(error).format("update"))
        try:
            _reconcile(stack, before, exports, tags_before)
            for resource in reversed(discarded):
                _delete(stack, resource, "")
        except Exception as second:
            stack.set_status("UPDATE_ROLLBACK_FAILED", _reason(second).format("update"))
        else:
            stack.set_status("UPDATE_ROLLBACK_COMPLETE")
    else:
        stack.set_status("UPDATE_COMPLETE")
    stack.last_updated_time = now()


def delete(stack: Stack) -> bool:
    """Delete the resources of a stack and return whether that succeeded."""
    if failed := _delete_resources(stack):
        text = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        stack.set_status("DELETE_FAILED", text)
        return False
    stack.outputs, stack.exports, stack.deletion_time = [], [], now()
    stack.set_status("DELETE_COMPLETE")
    return True


def load(stack: Stack, target: Target, exports: Exports) -> Functions:
    """Set the template of a stack, and return its functions."""
    stack.target = target
    return Functions(target.template, target.values, StackContext(stack, exports))


def set_outputs(stack: Stack, functions: Functions) -> None:
    """Evaluate the outputs of a stack, and their exports."""
    declared = stack.target.template.get("Outputs", {})
    outputs = {
        name: functions.value(output) for name, output in declared.items() if is_wanted(functions, output)
    }
    stack.outputs = [
        {
            "OutputKey": name,
            "OutputValue": resolved(_shown(output["Value"]), stack.place),
            "Description": output.get("Description"),
            "ExportName": output.get("Export", {}).get("Name"),
        }
        for name, output in outputs.items()
    ]
    stack.exports = [
        Export(stack.stack_id, each["ExportName"], each["OutputValue"])
        for each in stack.outputs
        if each["ExportName"]
    ]


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _reason(error: Exception) -> str:
    """Return why an operation failed."""
    if isinstance(error, DeploymentError):
        return str(error)
    return f"{_cause(error)} ".replace("{", "{{").replace("}", "}}")


def _reconcile(
    stack: Stack,
    target: Target,
    exports: Exports,
    tags: Mapping[str, str] | None = None,
    discarded: list[Resource] | None = None,
) -> None:
    """Create, update and delete resources so that the stack matches a template.

    On failure, the stack has its original resources again, and `withdrawn` contains the resources that were
    created to replace them.
    """
    old_order = in_order(stack.target.resources)
    new_tags = tags is not None and dict(tags) != stack.tags
    if tags is not None:
        stack.tags = dict(tags)
    functions = load(stack, target, exports)
    names = [name for name in in_order(target.resources) if is_wanted(functions, target.resources[name])]
    replaced: list[Resource] = []
    try:
        for name in names:
            definition = functions.value(target.resources[name])
            replaced += _remove_if_replaced(stack, name, definition)
            if name in stack.resources:
                _update(stack, stack.resources[name], definition, new_tags=new_tags)
            else:
                _create(stack, name, definition)
    except Exception:
        if discarded is not None:
            names = [resource.logical_id for resource in replaced]
            discarded += [stack.resources[name] for name in names if name in stack.resources]
        stack.resources.update({resource.logical_id: resource for resource in replaced})
        raise
    for resource in reversed(replaced):
        _delete(stack, resource, "UpdateReplacePolicy")
    unknown = [name for name in stack.resources if name not in old_order]
    for name in [*unknown, *reversed(old_order)]:
        if name in stack.resources and name not in names:
            _delete(stack, stack.resources.pop(name), "DeletionPolicy")
    set_outputs(stack, functions)


def _remove_if_replaced(stack: Stack, name: str, definition: Definition) -> list[Resource]:
    """Remove a resource from the stack and return it if a change replaces it."""
    there = stack.resources.get(name)
    if there is None or not must_replace(
        resource_type(definition["Type"], stack.place), there.definition, definition
    ):
        return []
    text = "Requested update requires the creation of a new physical resource; hence creating one."
    stack.set_resource_status(there, "UPDATE_IN_PROGRESS", text)
    return [stack.resources.pop(name)]


def _create(stack: Stack, name: str, definition: Definition) -> None:
    type_name = definition["Type"]
    # The name of a stack in a stack set has a colon, which few services accept.
    generated_name = generate_resource_name(type_name, stack.name.replace(":", "-"), name)
    resource = Resource(name, type_name, stack, generated_name)
    type_ = stack.type_of(resource)
    stack.set_resource_status(resource, "CREATE_IN_PROGRESS")
    try:
        define(stack, resource, definition)
        type_.create(resource)
    except Exception as error:
        stack.set_resource_status(resource, "CREATE_FAILED", _cause(error))
        if resource.physical_id and not _delete(stack, resource, ""):
            stack.resources[name] = resource  # the stack's rollback tries again, or fails
        raise DeploymentError(name) from error
    stack.resources[name] = resource
    if isinstance(type_, NotEmulated):
        reason: str | None = f"not emulated: {type_name} has no effect here"
    else:
        reason = _not_emulated(_without_effect(type_, definition, definition.get("Properties", {})))
    stack.set_resource_status(resource, "CREATE_COMPLETE", reason)


def _update(stack: Stack, resource: Resource, definition: Definition, *, new_tags: bool) -> None:
    type_, changed = stack.type_of(resource), changed_properties(resource.definition, definition)
    if not (changed or new_tags or type_.always_updated):
        resource.definition = definition
        return
    before = (resource.definition, resource.properties)
    stack.set_resource_status(resource, "UPDATE_IN_PROGRESS")
    ignored = _without_effect(type_, definition, changed)
    try:
        define(stack, resource, definition)
        if changed or type_.schema() is not None:
            type_.update(resource, before[1])
    except NotImplementedError as error:
        if str(error):
            resource.definition, resource.properties = before
            stack.set_resource_status(resource, "UPDATE_FAILED", str(error))
            raise DeploymentError(resource.logical_id) from error
        ignored = changed
    except Exception as error:
        # What the failed update has changed is rolled back with the rest of the stack.
        stack.set_resource_status(resource, "UPDATE_FAILED", _cause(error))
        raise DeploymentError(resource.logical_id) from error
    stack.set_resource_status(resource, "UPDATE_COMPLETE", _not_emulated(ignored))


def define(stack: Stack, resource: Resource, definition: Definition) -> None:
    """Set the definition of a resource, and the properties that result from it."""
    resource.definition = definition
    properties = resolved(definition.get("Properties", {}), stack.place)
    if schema := stack.type_of(resource).schema():
        properties = schema.coerced(properties)
        if schema.tags == "Tags":
            tags = {**stack.tags, **{tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}}
            properties = {**properties, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    resource.properties = properties


def _cause(error: Exception) -> str:
    """Return why a service rejected a request; unexpected errors are also written to the server's log."""
    match error:
        case ServiceException():  # of moto's, as the next one
            return str(error.message)
        case HTTPException():
            return str(getattr(error, "message", "") or error.description or error)
        case ValueError() | RuntimeError() | ApiError():
            return str(error)
    traceback.print_exception(error)
    return str(error) or repr(error)


def _without_effect(type_: ResourceType, definition: Definition, names: Iterable[str]) -> list[str]:
    """Return the given properties, or parts of them, that are not emulated."""
    emulated = type_.emulated
    if emulated is None:
        return []
    properties = definition.get("Properties", {})
    with_parts = {name.split(".")[0] for name in emulated if "." in name}
    found = [
        f"{name}.{part}" if name in with_parts else name
        for name in set(names) - emulated
        for part in (properties.get(name, {}) if name in with_parts else [""])
    ]
    return sorted(set(found) - emulated)


def _not_emulated(properties: list[str]) -> str | None:
    return f"not emulated: {', '.join(properties)}" if properties else None


def _delete(stack: Stack, resource: Resource, policy: str) -> bool:
    """Delete a resource unless its policy retains it; return whether the stack no longer has it."""
    if resource.definition.get(policy, "Delete").startswith("Retain"):
        stack.set_resource_status(resource, "DELETE_SKIPPED")
        return True
    stack.set_resource_status(resource, "DELETE_IN_PROGRESS")
    try:
        stack.type_of(resource).delete(resource)
    except Exception as error:
        stack.set_resource_status(resource, "DELETE_FAILED", _cause(error))
        return False
    stack.set_resource_status(resource, "DELETE_COMPLETE")
    return True


def _delete_resources(stack: Stack) -> list[str]:
    """Delete all resources, dependent ones first, and return those whose deletion failed."""
    failed: list[str] = []
    kept: set[str] = set()
    for name in reversed(in_order(stack.target.resources)):
        if name not in stack.resources or name in kept:
            continue
        if _delete(stack, stack.resources[name], "DeletionPolicy"):
            del stack.resources[name]
        else:
            failed.append(name)
            kept |= dependencies(stack.target.resources, name)
    return failed
