"""Change sets of type IMPORT, which add existing resources to a stack.

As on AWS, an import changes no resource. Afterwards, the stack assumes the properties that the template
declares, and a later update applies what differs from them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation import deployment
from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from helpers.local_aws.cloudformation.resource_types.base import Resource
from helpers.local_aws.cloudformation.stacks import Change, ChangeSet, Export, Stack


def check_import(change_set: ChangeSet, wanted: list[Mapping[str, Any]], stacks: Iterable[Stack]) -> None:
    """Turn a change set into an import of resources; it fails if one of them does not exist.

    Raises:
        ValidationError: it has other changes, or it names resources that cannot be imported.
    """
    _reject(not wanted, "Must Provide at least one resource to import")
    _reject_other_changes(change_set, wanted)
    change_set.changes = [
        Change("Import", each["LogicalResourceId"], each["ResourceType"], _physical_id(each))
        for each in wanted
    ]
    if reason := _import_failure_reason(change_set, stacks):
        change_set.fail(reason)


def adopt(change_set: ChangeSet, stacks: Iterable[Stack], exports: Mapping[str, Export]) -> None:
    """Execute a change set of type IMPORT, which adds the resources to the stack unchanged."""
    stack, declared = change_set.stack, change_set.target.resources
    resources = [_resource(stack, change) for change in change_set.changes]
    if reason := _import_failure_reason(change_set, stacks):
        for resource in resources:
            stack.set_resource_status(resource, "IMPORT_FAILED", reason)
        stack.set_status("IMPORT_ROLLBACK_IN_PROGRESS", reason)
        stack.set_status("IMPORT_ROLLBACK_COMPLETE")
        return
    stack.tags = change_set.tags
    functions = deployment.load(stack, change_set.target, exports)
    for resource in resources:
        deployment.define(stack, resource, functions.value(declared[resource.logical_id]))
        stack.set_resource_status(resource, "IMPORT_IN_PROGRESS", "Resource import started.")
        stack.resources[resource.logical_id] = resource
        stack.set_resource_status(resource, "IMPORT_COMPLETE", "Resource import completed.")
    deployment.set_outputs(stack, functions)
    stack.set_status("IMPORT_COMPLETE")


def _resource(stack: Stack, change: Change) -> Resource:
    resource = Resource(change.logical_resource_id, change.resource_type, stack, "")
    resource.physical_id = change.physical_resource_id or ""
    return resource


def _identifier(type_name: str) -> str:
    schema = RESOURCE_TYPES[type_name].schema()
    return schema.primary_identifier[0] if schema else ""


def _physical_id(wanted: Mapping[str, Any]) -> str:
    return str(wanted["ResourceIdentifier"][_identifier(wanted["ResourceType"])])


def _reject_other_changes(change_set: ChangeSet, wanted: list[Mapping[str, Any]]) -> None:
    template, before = change_set.target.template, change_set.stack.target.template
    declared = template.get("Resources", {})
    for each in wanted:
        _reject_unknown(declared, each)
    names = [each["LogicalResourceId"] for each in wanted]
    added = [each.logical_resource_id for each in change_set.changes if each.action == "Add"]
    modified = [each.logical_resource_id for each in change_set.changes if each.action != "Add"]
    known = [name for name in names if name not in added]
    missing = [name for name in added if name not in names]
    unprotected = [name for name in names if "DeletionPolicy" not in declared[name]]
    _reject(
        known,
        f"Resources {_listed(known)} passed in ResourceToImport are already in a stack and cannot be "
        "imported.",
    )
    _reject(missing, f"Resources {_listed(missing)} is missing from ResourceToImport list")
    _reject(
        modified,
        f"You have modified resources {_listed(modified)} in your template that are not being imported. "
        "Update, create or delete operations cannot be executed during import operations.",
    )
    _reject(
        unprotected,
        f"The following resources to import {_listed(unprotected)} must have DeletionPolicy attribute "
        "specified in the template.",
    )
    _reject(
        template.get("Outputs", {}) != before.get("Outputs", {}),
        "As part of the import operation, you cannot modify or add [Outputs]",
    )


def _reject_unknown(declared: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    name, type_name = wanted["LogicalResourceId"], wanted["ResourceType"]
    _reject(
        name not in declared,
        f"The logical resource ids [{name}] provided in ResourceToImport do not exist in the template.",
    )
    _reject(
        declared[name]["Type"] != type_name,
        f"Resource type of [{name}] passed in ResourceToImport does not match with resource type defined "
        f"in the template. Resource type in ResourceToImport: {type_name}; Resource type in Template: "
        f"{declared[name]['Type']}.",
    )
    importable = type_name in RESOURCE_TYPES and RESOURCE_TYPES[type_name].importable
    _reject(not importable, f"ResourceTypes [{type_name}] are not supported for Import")
    key = _identifier(type_name)
    _reject(
        set(wanted.get("ResourceIdentifier", {})) != {key},
        f"Invalid resource identifier for resource type {type_name}. Expected [{key}]",
    )


def _reject(problem: object, message: str) -> None:
    if problem:
        raise ValidationError(message=message)


def _listed(names: list[str]) -> str:
    return f"[{', '.join(names)}]"


def _import_failure_reason(change_set: ChangeSet, stacks: Iterable[Stack]) -> str | None:
    """Return why AWS fails a change set after it has looked up its resources, or None."""
    for change in change_set.changes:
        resource = _resource(change_set.stack, change)
        if not change_set.stack.type_of(resource).adopt(resource):
            found = f"'{resource.type_name}' with identifier '{resource.physical_id}'"
            return f"Resource of type {found} was not found."
        for other in stacks:
            for each in other.resources.values():
                if (each.type_name, each.physical_id) == (resource.type_name, resource.physical_id):
                    return f"{resource.physical_id} already exists in stack {other.stack_id}"
    return None
