"""Validates a template as CloudFormation does before a deployment."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.schemas import has_attribute, schema_of, type_names
from helpers.local_aws.cloudformation.templates import parameters
from helpers.local_aws.cloudformation.templates.language_extensions import LOOP, TRANSFORM, expand, transforms
from helpers.local_aws.cloudformation.templates.reading import read_template
from helpers.local_aws.cloudformation.templates.references import circle, members, references, variables

_SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs"}
    | {"Parameters", "Resources", "Rules", "Transform"}
)
_OF_A_RESOURCE = frozenset(
    {"Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type"}
    | {"UpdatePolicy", "UpdateReplacePolicy"}
)
_PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName"),
        "URLSuffix",
    )
)
_CUSTOM = "AWS::CloudFormation::CustomResource", "Custom::"


def parse_template(text: str, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a processed template, for given parameters and the defaults of the others.

    Raises:
        ValidationError: the template is malformed, or a transform is not supported.
    """
    template = read_template(text)
    for transform in transforms(template):  # first: a transform can add sections
        if transform != TRANSFORM:
            raise ValidationError(message=f"The transform {transform} is not emulated.")
    _check_sections(template)
    if not transforms(template):
        return template
    return expand(template, parameters.with_defaults(template, given or {}))


def check_parameters(
    template: Mapping[str, Any], given: Mapping[str, str], pseudo_parameters: Mapping[str, str]
) -> None:
    """Raise a ValidationError if a template does not accept the parameters in its account and region."""
    if problem := parameters.problem(template, given, pseudo_parameters):
        raise ValidationError(message=problem)


def check_template(template: Mapping[str, Any]) -> None:
    """Validate a processed template.

    Raises:
        ValidationError: CloudFormation rejects the template.
    """
    resources = template["Resources"]
    for name, resource in resources.items():
        _check_resource(name, resource)
    unknown = sorted({each["Type"] for each in resources.values() if not _is_known(each["Type"])})
    if unknown:
        raise _format_error(f"Unrecognized resource types: [{', '.join(unknown)}]")
    _check_references(template)
    if names := circle(resources):
        raise ValidationError(message=f"Circular dependency between resources: [{', '.join(names)}]")
    for name, resource in resources.items():
        schema = schema_of(resource["Type"])
        found = list(schema.problems(resource.get("Properties", {}))) if schema else []
        if found:
            text = f"Properties validation failed for resource {name} with message: [{', '.join(found)}]"
            raise ValidationError(message=text)


def _format_error(message: str) -> ValidationError:
    return ValidationError(message=f"Template format error: {message}")


def _check_sections(template: Mapping[str, Any]) -> None:
    if unknown := sorted(str(key) for key in template.keys() - _SECTIONS if not str(key).startswith(LOOP)):
        text = f"Invalid template property or properties [{', '.join(unknown)}]"
        raise ValidationError(message=text)
    for name in ("Resources", "Parameters", "Outputs", "Conditions", "Mappings", "Rules"):
        if template.get(name, {}) is None:
            raise _format_error(f"[/{name}] 'null' values are not allowed in templates")
        if not isinstance(template.get(name, {}), dict):
            raise _format_error(f"[/{name}] must be an object")
    if not template.get("Resources"):
        raise _format_error("At least one Resources member must be defined.")
    for name, rule in parameters.declared_in(template).items():
        if not isinstance(rule, dict) or "Type" not in rule:
            raise _format_error(f"[/Parameters/{name}] Every Parameters object must contain a Type member.")


def _check_resource(name: str, resource: Any) -> None:
    if not isinstance(resource, dict):
        raise _format_error(f"[/Resources/{name}] resource definition is malformed")
    if not re.fullmatch("[A-Za-z0-9]{1,255}", name):
        raise _format_error(f"Resource name {name} is non alphanumeric.")
    if not isinstance(resource.get("Type"), str):
        text = f"[/Resources/{name}] Every Resources object must contain a Type member."
        raise _format_error(text)
    if unknown := sorted(str(key) for key in resource.keys() - _OF_A_RESOURCE):
        raise ValidationError(message=f"Invalid template resource property '{unknown[0]}'")
    if not isinstance(resource.get("Properties", {}), dict):
        raise _format_error(f"[/Resources/{name}/Properties] must be an object")
    for path in _nulls(resource, f"/Resources/{name}"):
        raise _format_error(f"[{path}] 'null' values are not allowed in templates")


def _nulls(part: Any, path: str) -> Iterator[str]:
    match part:
        case None:
            yield path
        case dict():
            for key, value in part.items():
                yield from _nulls(value, f"{path}/{key}")
        case list():
            for index, value in enumerate(part):
                yield from _nulls(value, f"{path}/{index}")


def _is_known(type_name: str) -> bool:
    return type_name in type_names() or type_name.startswith(_CUSTOM)


def _check_references(template: Mapping[str, Any]) -> None:
    for section in ("Resources", "Outputs"):
        _check_section(template, section)
    conditions = template.get("Conditions", {})
    given = {*parameters.declared_in(template), *_PSEUDO_PARAMETERS}
    if missing := [name for name in references(conditions) if name not in given]:
        raise _format_error(
            f"Unresolved dependencies [{', '.join(missing)}]. Cannot reference resources in the Conditions "
            "block of the template"
        )
    _check_conditions(template, "Conditions", _named_conditions(conditions))
    for name, output in template.get("Outputs", {}).items():
        if not isinstance(output, dict) or "Value" not in output:
            text = f"Output {name} is malformed. Every Outputs member must contain a Value object"
            raise _format_error(text)


def _check_section(template: Mapping[str, Any], section: str) -> None:
    content, resources = template.get(section, {}), template["Resources"]
    for owner, attribute in _attributes(content):
        if owner not in resources:
            text = f"Template error: instance of Fn::GetAtt references undefined resource {owner}"
            raise ValidationError(message=text)
        if attribute and not has_attribute(resources[owner]["Type"], attribute):
            problem = f"does not support attribute type {attribute} in Fn::GetAtt"
            raise ValidationError(message=f"Template error: resource {owner} {problem}")
    for variable in _attributes_in_texts(content):
        owner, _, attribute = variable.partition(".")
        if owner not in resources or not has_attribute(resources[owner]["Type"], attribute):
            text = f"Template error: instance of Fn::Sub references invalid resource attribute {variable}"
            raise ValidationError(message=text)
    known = {*resources, *parameters.declared_in(template), *_PSEUDO_PARAMETERS}
    if missing := list(dict.fromkeys(name for name in references(content) if name not in known)):
        raise _format_error(
            f"Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template"
        )
    _check_conditions(template, section, _conditions_of(content))


def _check_conditions(template: Mapping[str, Any], section: str, named: Iterator[str]) -> None:
    for name in named:
        if name not in template.get("Conditions", {}):
            text = f"Unresolved condition dependency {name} in the {section} block of the template"
            raise _format_error(text)


def _attributes(part: Any) -> Iterator[tuple[str, str]]:
    """Yield the resource and the attribute of each Fn::GetAtt; "" if a function returns the attribute."""
    for key, value in members(part):
        match key, value:
            case "Fn::GetAtt", [str(name), str(attribute)]:
                yield name, attribute
            case "Fn::GetAtt", [str(name), *_]:
                yield name, ""
            case "Fn::GetAtt", str(text):
                name, _, attribute = text.partition(".")
                yield name, attribute


def _attributes_in_texts(part: Any) -> Iterator[str]:
    """Yield each `Name.Attribute` in Fn::Sub."""
    for key, value in members(part):
        if key == "Fn::Sub":
            yield from (variable for variable in variables(value) if "." in variable)


def _conditions_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the conditions of a section's members, and those of Fn::If."""
    for member in content.values():
        if isinstance(member, dict) and isinstance(member.get("Condition"), str):
            yield member["Condition"]
    yield from _branches(content)


def _branches(part: Any) -> Iterator[str]:
    for key, value in members(part):
        if key == "Fn::If" and isinstance(value, list) and value and isinstance(value[0], str):
            yield value[0]


def _named_conditions(part: Any) -> Iterator[str]:
    for key, value in members(part):
        if key == "Condition" and isinstance(value, str):
            yield value
