"""Computes the changes that a change set shows, without changing anything."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from helpers.local_aws.cloudformation.resource_types import resource_type
from helpers.local_aws.cloudformation.resource_types.base import ResourceType
from helpers.local_aws.cloudformation.stack_context import StackPreview
from helpers.local_aws.cloudformation.stacks import Change, Export, Stack, Target
from helpers.local_aws.cloudformation.templates.functions import Functions
from helpers.local_aws.cloudformation.templates.references import in_order

Definition = Mapping[str, Any]

_RECREATION = {"True": "Always", "Conditional": "Conditionally", "False": "Never"}


def changed_paths(old: Any, new: Any, path: str = "") -> set[str]:
    """Return the paths of the properties that differ, and of the differing parts within them."""
    if old == new:
        return set()
    within = {path} if path else set()
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in {*old, *new}:
            within |= changed_paths(old.get(name), new.get(name), f"{path}/{name}" if path else name)
        return within
    # An added or removed value differs in all of its parts.
    for part in (old, new):
        if isinstance(part, Mapping):
            within |= changed_paths({}, part, path)
    return within


def changed_properties(old: Definition, new: Definition) -> list[str]:
    """Return the names of the properties that differ between two definitions of a resource."""
    was, is_now = old.get("Properties", {}), new.get("Properties", {})
    return sorted(name for name in {*was, *is_now} if was.get(name) != is_now.get(name))


def replacement(type_: ResourceType, old: Definition, new: Definition, name: str | None = None) -> str:
    """Return whether a change replaces the resource: True, Conditional or False.

    Args:
        type_: the type of the new definition.
        old: the definition before.
        new: the definition after.
        name: A single property to consider.
    """
    schema = type_.schema()
    if old["Type"] != new["Type"]:
        return "True"
    if schema is None:
        return "False"
    paths = changed_paths(old.get("Properties", {}), new.get("Properties", {}))
    if name is not None:
        paths = {path for path in paths if path.split("/")[0] == name}
    if not schema.create_only.isdisjoint(paths):
        return "True"
    return "False" if schema.conditional_create_only.isdisjoint(paths) else "Conditional"


def must_replace(type_: ResourceType, old: Definition, new: Definition) -> bool:
    """Return whether CloudFormation replaces this resource."""
    answer = replacement(type_, old, new)
    if answer != "Conditional":
        return answer == "True"
    return not type_.may_stay(old.get("Properties", {}), new.get("Properties", {}))


class _Side:
    """One of two templates with its parameters; its resources are placeholders."""

    def __init__(self, stack: Stack, target: Target, exports: Mapping[str, Export]):
        self.context = StackPreview(stack, exports)
        self._functions = Functions(target.template, target.values, self.context)
        self._target = target
        self.names = [
            name for name in in_order(target.resources) if is_wanted(self._functions, target.resources[name])
        ]
        self.context.names = self.names

    def definition(self, name: str) -> Definition:
        definition: Definition = self._functions.value(self._target.resources[name])
        return definition

    def outputs(self) -> Any:
        declared = self._target.template.get("Outputs", {})
        functions = replace(self._functions, block="Outputs")
        return {
            name: functions.value(output) for name, output in declared.items() if is_wanted(functions, output)
        }


def is_wanted(functions: Functions, member: Definition) -> bool:
    """Return whether the condition of a resource or an output is met; true without a condition."""
    return "Condition" not in member or functions.holds(member["Condition"])


def find_changes(
    stack: Stack, target: Target, tags: Mapping[str, str], exports: Mapping[str, Export]
) -> tuple[list[Change], bool]:
    """Return the changes to the resources of a stack, and whether anything would change.

    Raises:
        ValidationError: A function of the template cannot be evaluated.
    """
    before, after = _Side(stack, stack.target, exports), _Side(stack, target, exports)
    changes = [
        Change("Remove", name, before.definition(name)["Type"], _physical_id(stack, name))
        for name in before.names
        if name not in after.names
    ]
    for name in after.names:
        definition = after.definition(name)
        if name not in before.names:
            changes.append(Change("Add", name, definition["Type"]))
        elif change := _modification(stack, name, before.definition(name), definition):
            changes.append(change)
            if change.replacement == "True":
                after.context.replaced.add(name)
    outputs = after.outputs()
    same = (
        not changes
        and before.outputs() == outputs
        and all(_policies(before, name) == _policies(after, name) for name in after.names)
        and dict(stack.tags) == dict(tags)
    )
    return changes, not same


def _policies(side: _Side, name: str) -> list[Any]:
    return [side.definition(name).get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")]


def _physical_id(stack: Stack, name: str) -> str | None:
    return stack.resources[name].physical_id if name in stack.resources else None


def _modification(stack: Stack, name: str, old: Definition, new: Definition) -> Change | None:
    type_, properties = resource_type(new["Type"], stack.place), changed_properties(old, new)
    if properties or old["Type"] != new["Type"]:
        details = [_detail(type_, old, new, each) for each in properties]
        answer = replacement(type_, old, new)
    elif name in stack.resources and type_.differs_beyond_properties(
        stack.resources[name], new.get("Properties", {})
    ):
        target = {"Attribute": "Properties", "Name": "TemplateURL", "RequiresRecreation": "Never"}
        details = [{"Target": target, "Evaluation": "Static", "ChangeSource": "Automatic"}]
        answer = "False"
    else:
        return None
    return Change("Modify", name, new["Type"], _physical_id(stack, name), answer, ["Properties"], details)


def _detail(type_: ResourceType, old: Definition, new: Definition, name: str) -> dict[str, Any]:
    recreation = _RECREATION["False" if old["Type"] != new["Type"] else replacement(type_, old, new, name)]
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
