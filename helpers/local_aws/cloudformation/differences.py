"""What an update would do: the changes that a change set shows, told before anything is done.

Moto compares the templates' text, so it misses a parameter within Fn::Sub and does not tell replacements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.parsing import ResourceMap, clean_json

from helpers.local_aws.cloudformation.nested_stacks import NESTED_STACK, has_other_template
from helpers.local_aws.cloudformation.registry import mend_of
from helpers.local_aws.cloudformation.templates import in_order


@dataclass
class Change:
    """A change, with the attributes of ResourceChange in CloudFormation's API."""

    action: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _StandIn:
    """A resource that a template speaks of, whether it is there or not."""

    physical_resource_id: str

    def get_cfn_attribute(self, attribute: str) -> str:
        return f"{self.physical_resource_id}.{attribute}"


class _Preview(ResourceMap):  # type: ignore[misc] # moto's classes are not typed
    """A template with its parameters, whose resources are stand-ins and never created."""

    def __init__(self, resources: Any, template: Mapping[str, Any], parameters: Mapping[str, str]):
        super().__init__(
            resources.stack_id,
            resources["AWS::StackName"],
            dict(parameters),
            {},
            resources._region_name,
            resources._account_id,
            template,
            resources.cross_stack_resources,
        )
        self.replaced: set[str] = set()
        if template:
            self.load()

    def validate_outputs(self) -> None:
        """Leave it to the real map."""

    def __getitem__(self, key: str) -> Any:
        if key in self._resource_json_map:
            return _StandIn(f"{key} (new)" if key in self.replaced else key)
        return self._parsed_resources[key]

    def resolved(self, name: str) -> Any:
        return clean_json(self._resource_json_map[name], self)

    def names(self) -> list[str]:
        return [name for name in in_order(self._resource_json_map) if is_wanted(self, name)]

    def outputs(self) -> Any:
        return clean_json(self._template.get("Outputs", {}), self)


def is_wanted(resources: Any, name: str) -> bool:
    """Tell whether the condition of a resource, if it has one, holds."""
    condition = resources._resource_json_map[name].get("Condition")
    return condition is None or bool(resources.lazy_condition_map[condition])


def changed_properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names of the properties that differ between two definitions of a resource."""
    was, is_now = old.get("Properties", {}), new.get("Properties", {})
    return sorted(name for name in was.keys() | is_now.keys() if was.get(name) != is_now.get(name))


def must_replace(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether CloudFormation would make another resource in place of this one."""
    return old["Type"] != new["Type"] or not mend_of(new["Type"]).create_only.isdisjoint(
        changed_properties(old, new)
    )


def differences(
    stack: Any, template: Mapping[str, Any], parameters: Mapping[str, str], tags: Mapping[str, str]
) -> tuple[list[Change], bool]:
    """Return the changes to the resources of a stack, and whether anything would change at all."""
    before = _Preview(stack.resource_map, stack.template_dict, stack.parameters)
    after = _Preview(stack.resource_map, template, parameters)
    old, new = before.names(), after.names()
    changes = [
        Change("Remove", name, before.resolved(name)["Type"], _physical_id(stack, name))
        for name in old
        if name not in new
    ]
    for name in new:
        definition = after.resolved(name)
        if name not in old:
            changes.append(Change("Add", name, definition["Type"]))
        elif change := _modification(name, before.resolved(name), definition, _physical_id(stack, name)):
            changes.append(change)
            if change.replacement == "True":
                after.replaced.add(name)
        elif definition["Type"] == NESTED_STACK and has_other_template(_resource(stack, name), definition):
            changes.append(_automatic(name, _physical_id(stack, name)))
    same_policies = all(_policies(before, name) == _policies(after, name) for name in new if name in old)
    unchanged = (
        not changes
        and same_policies
        and before.outputs() == after.outputs()
        and dict(stack.tags) == dict(tags)
    )
    return changes, not unchanged


def _policies(preview: _Preview, name: str) -> list[Any]:
    return [preview.resolved(name).get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")]


def _resource(stack: Any, name: str) -> Any:
    return stack.resource_map._parsed_resources.get(name)


def _physical_id(stack: Any, name: str) -> str | None:
    return getattr(_resource(stack, name), "physical_resource_id", None)


def _automatic(name: str, physical_id: str | None) -> Change:
    """Return the change of a nested stack of which only the template's text has changed."""
    target = {"Attribute": "Properties", "Name": "TemplateURL", "RequiresRecreation": "Never"}
    details = [{"Target": target, "Evaluation": "Static", "ChangeSource": "Automatic"}]
    return Change("Modify", name, NESTED_STACK, physical_id, "False", ["Properties"], details)


def _modification(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], physical_id: str | None
) -> Change | None:
    properties = changed_properties(old, new)
    if not properties and old["Type"] == new["Type"]:
        return None
    create_only = mend_of(new["Type"]).create_only
    return Change(
        action="Modify",
        logical_resource_id=name,
        resource_type=new["Type"],
        physical_resource_id=physical_id,
        replacement="True" if must_replace(old, new) else "False",
        scope=["Properties"],
        details=[
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": each,
                    "RequiresRecreation": "Always" if each in create_only else "Never",
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for each in properties
        ],
    )
