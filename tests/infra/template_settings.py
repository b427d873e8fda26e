"""The settings of the templates, each by a name, and a template with one of them weakened.

Policies are left out: they have mutants of their own, in tests/security.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from helpers.local_aws.cloudformation.templates.reading import read_template

INFRA = Path(__file__).parents[2] / "infra"
LOOP = "Fn::ForEach::"
CONSTRAINTS = ("AllowedPattern", "AllowedValues", "MinValue", "MaxValue")
POLICIES = {"AssumeRolePolicyDocument", "KeyPolicy", "ModelPackageGroupPolicy", "PolicyDocument"}
BESIDE_PROPERTIES = ("Condition", "DeletionPolicy", "DependsOn", "Type", "UpdateReplacePolicy")
Steps = tuple[str | int, ...]
REMOVED = object()


@dataclass(frozen=True)
class Setting:
    """One value in a template.

    Attributes:
        template: the template's name.
        steps: the way to it.
        kind: `AWS::KMS::Key.EnableKeyRotation`, `Parameters.VpcCidr.AllowedPattern`
        name: `keys.VolumeKey.EnableKeyRotation`, `network.Parameters.VpcCidr.AllowedPattern`
    """

    template: str
    steps: Steps
    kind: str
    name: str

    @property
    def rejects(self) -> bool:
        """It is there to reject values: what a parameter may be, or a part of a rule."""
        section, last = self.steps[0], self.steps[-1]
        return section == "Rules" or (section == "Parameters" and last in CONSTRAINTS)


@cache
def read(template: str) -> Any:
    """Return a template with its functions in the long form, and its loops as they are written."""
    return read_template((INFRA / f"{template}.yaml").read_text(encoding="utf-8"))


def settings_of(template: str) -> Iterator[Setting]:
    """Yield constraints and defaults of parameters, rules, conditions, and properties of resources."""
    content = read(template)
    for parameter, declared in content["Parameters"].items():
        for key in (each for each in (*CONSTRAINTS, "Default") if each in declared):
            yield _of_section(template, ("Parameters", parameter, key))
    for rule, rule_content in content.get("Rules", {}).items():
        for key, part in rule_content.items():
            for steps in _leaves(part, ()):
                if steps[-1:] != ("AssertDescription",):
                    yield _of_section(template, ("Rules", rule, key, *steps))
    for condition in content.get("Conditions", {}):
        yield _of_section(template, ("Conditions", condition))
    for name, way, resource in _resources(content["Resources"], ("Resources",)):
        for steps, path in _of_resource(resource):
            yield Setting(template, (*way, *steps), f"{resource['Type']}.{path}", f"{template}.{name}.{path}")


def place(name: str) -> Setting:
    """Return the setting of a name, also one that is not there or that stands in a policy."""
    template, resource, *path = name.split(".")
    for found, way, definition in _resources(read(template)["Resources"], ("Resources",)):
        if found == resource:
            beside = () if path[0] in BESIDE_PROPERTIES else ("Properties",)
            steps = (int(step) if step.isdecimal() else step for step in path)
            return Setting(template, (*way, *beside, *steps), definition["Type"], name)
    raise LookupError(f"there is no resource {resource} in {template}.yaml")


def weakened(setting: Setting, value: Any) -> str:
    """Return the text of the template with another value, or with the setting REMOVED."""
    content = copy.deepcopy(read(setting.template))
    *way, last = setting.steps
    part = content
    for step in way:
        part = part[step]
    if value is REMOVED:
        del part[last]
    else:
        assert not _is_there(part, last) or part[last] != value, f"{setting.name} is {value} already"
        part[last] = value
    return json.dumps(content)


def _is_there(part: Any, key: str | int) -> bool:
    return key in part if isinstance(part, dict) else isinstance(key, int) and key < len(part)


def _of_resource(resource: Any) -> Iterator[tuple[Steps, str]]:
    for key in (each for each in BESIDE_PROPERTIES if each in resource and each != "Type"):
        yield (key,), key
    for steps in _leaves(resource["Properties"], ()):
        if POLICIES.isdisjoint(steps):
            yield ("Properties", *steps), ".".join(map(str, steps))


def _of_section(template: str, steps: Steps) -> Setting:
    kind = ".".join(map(str, steps))
    return Setting(template, steps, kind, f"{template}.{kind}")


def _resources(part: Any, way: Steps) -> Iterator[tuple[str, Steps, Any]]:
    """Yield resources with the way to them; in a loop there is one, whose name has the variable as <Use>."""
    for key, value in part.items():
        if key.startswith(LOOP):
            yield from _resources(value[2], (*way, key, 2))
        else:
            name = key.replace("&{", "${").replace("${", "<").replace("}", ">")
            yield name, (*way, key), value


def _leaves(part: Any, steps: Steps) -> Iterator[Steps]:
    """Yield the ways to the values; a function is one, unless it joins conditions of which each counts."""
    match part:
        case {"Fn::And": list(conditions)}:
            for index in range(len(conditions)):
                yield (*steps, "Fn::And", index)
        case dict() if part and not any(key == "Ref" or key.startswith("Fn::") for key in part):
            for key, value in part.items():
                yield from _leaves(value, (*steps, key))
        case list() if any(isinstance(each, dict) and not _is_function(each) for each in part):
            for index, value in enumerate(part):
                yield from _leaves(value, (*steps, index))
        case _:
            yield steps


def _is_function(part: dict[str, Any]) -> bool:
    return any(key == "Ref" or key.startswith("Fn::") for key in part)
