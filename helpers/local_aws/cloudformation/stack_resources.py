"""One resource of a stack: its creation, update and deletion, with an event for each step."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudformation.models import Event
from moto.cloudformation.parsing import parse_and_update_resource
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from helpers.local_aws.cloudformation.registry import mend_of
from helpers.local_aws.cloudformation.resources import Place, as_tags

Definition = Mapping[str, Any]


def definitions_of(resources: Any) -> dict[str, Definition]:
    """Return the definitions, with references resolved, of the resources that are there."""
    if not hasattr(resources, "definitions"):
        resources.definitions = {}
    found: dict[str, Definition] = resources.definitions
    return found


def _place(stack: Any) -> Place:
    return Place(stack.account_id, stack.region_name)


def create_resource(stack: Any, name: str, definition: Definition) -> None:
    """Create a resource, and give its properties their effect."""
    add_event(stack, name, definition, "CREATE_IN_PROGRESS")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto's word on a type that it does not know; the event says it
        resource = stack.resource_map[name]
    if resource is None:
        add_event(
            stack,
            name,
            definition,
            "CREATE_COMPLETE",
            f"not emulated: {definition['Type']} has no effect here",
        )
        return
    mend = mend_of(definition["Type"])
    if mend.apply:
        mend.apply(resource, _properties(stack, definition), _place(stack))
    _tag(stack, name, resource)
    ignored = _ignored(definition, definition.get("Properties", {}), mend.emulated)
    add_event(stack, name, definition, "CREATE_COMPLETE", _not_emulated(ignored))


def update_resource(stack: Any, name: str, definition: Definition, changed: list[str]) -> None:
    """Give changed properties their effect, in place."""
    resources, mend = stack.resource_map, mend_of(definition["Type"])
    resource = resources._parsed_resources.get(name)
    ignored: list[str] = []
    add_event(stack, name, definition, "UPDATE_IN_PROGRESS")
    if mend.apply:
        mend.apply(resource, _properties(stack, definition), _place(stack))
        ignored = _ignored(definition, changed, mend.emulated)
    elif changed and resource is not None:
        updated = parse_and_update_resource(
            name, resources._resource_json_map[name], resources, stack.account_id, stack.region_name
        )
        # Moto drops a resource from its map that it cannot update, and with it the stack's outputs.
        resources._parsed_resources[name] = resource if updated is None else updated
        ignored = changed if updated is None else []
    _tag(stack, name, resource)
    add_event(stack, name, definition, "UPDATE_COMPLETE", _not_emulated(ignored))


def _properties(stack: Any, definition: Definition) -> Definition:
    """Return the properties of a resource, with the stack's tags added to its own."""
    properties: Definition = definition.get("Properties", {})
    tags = {**stack.tags, **as_tags(properties)}
    return {**properties, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _ignored(definition: Definition, names: Iterable[str], emulated: frozenset[str] | None) -> list[str]:
    """Return those of the properties, or their parts, that have no effect."""
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


def _tag(stack: Any, name: str, resource: Any) -> None:
    """Hand the stack's tags on to what EC2 makes; moto forgets it where a change set does the work."""
    if isinstance(resource, TaggedEC2Resource):
        tags = {**stack.resource_map.tags, "aws:cloudformation:logical-id": name}
        backend = ec2_backends[stack.account_id][stack.region_name]
        backend.create_tags([resource.physical_resource_id], tags)


def delete_resource(stack: Any, name: str, resource: Any, definition: Definition, policy: str) -> bool:
    """Delete a resource unless a policy of its definition retains it; tell whether it is off the stack."""
    if definition.get(policy, "Delete").startswith("Retain"):
        add_event(stack, name, definition, "DELETE_SKIPPED", resource=resource)
        return True
    add_event(stack, name, definition, "DELETE_IN_PROGRESS", resource=resource)
    try:
        if resource is not None:
            if remove := mend_of(definition["Type"]).delete:
                remove(resource, definition.get("Properties", {}), _place(stack))
            else:
                stack.resource_map._delete_resource(resource, definition)
    except Exception as error:
        add_event(stack, name, definition, "DELETE_FAILED", str(error) or repr(error), resource=resource)
        return False
    add_event(stack, name, definition, "DELETE_COMPLETE", resource=resource)
    return True


def add_event(
    stack: Any,
    name: str,
    definition: Definition,
    status: str,
    reason: str | None = None,
    resource: Any = None,
) -> None:
    """Say in the stack's events what becomes of a resource."""
    resource = resource or stack.resource_map._parsed_resources.get(name)
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id=getattr(resource, "physical_resource_id", "") or "",
            resource_type=definition["Type"],
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
    )
