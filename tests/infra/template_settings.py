"""The settings of the templates by name, and templates with one weakened setting.

Policies are not included: they have separate mutants in tests/security.
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
        template: name of the template.
        steps: path to the value.
        kind: such as `AWS::KMS::Key.EnableKeyRotation` or `Parameters.VpcCidr.AllowedPattern`.
        name: such as `keys.VolumeKey.EnableKeyRotation` or `network.Parameters.VpcCidr.AllowedPattern`.
    """

    template: str
    steps: Steps
    kind: str
    name: str

    @property
    def rejects(self) -> bool:
        """Whether it rejects values: a constraint of a parameter, or a part of a rule."""
        section, last = self.steps[0], self.steps[-1]
        return section == "Rules" or (section == "Parameters" and last in CONSTRAINTS)


@cache
def read(template: str) -> Any:
    """Return a template with its functions in the long form, and with its loops."""
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
    """Return the setting with a name, even if it does not exist or is part of a policy."""
    template, resource, *path = name.split(".")
    for found, way, definition in _resources(read(template)["Resources"], ("Resources",)):
        if found == resource:
            beside = () if path[0] in BESIDE_PROPERTIES else ("Properties",)
            steps = (int(step) if step.isdecimal() else step for step in path)
            return Setting(template, (*way, *beside, *steps), definition["Type"], name)
    raise LookupError(f"there is no resource {resource} in {template}.yaml")


def weakened(setting: Setting, value: Any) -> str:
    """Return the text of the template with another value, or without the setting for REMOVED."""
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
    """Yield resources with their paths; a loop yields one resource with its variable as <Use>."""
    for key, value in part.items():
        if key.startswith(LOOP):
            yield from _resources(value[2], (*way, key, 2))
        else:
            name = key.replace("&{", "${").replace("${", "<").replace("}", ">")
            yield name, (*way, key), value


def _leaves(part: Any, steps: Steps) -> Iterator[Steps]:
    """Yield the paths of the values; a function is one value, unless it joins independent conditions."""
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
