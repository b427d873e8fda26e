"""Templates as CloudFormation reads them, where moto does not: Fn::ForEach, parameter constraints, order."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

LOOP = "Fn::ForEach::"
_NOT_IN_LOGICAL_IDS = re.compile(r"[^A-Za-z0-9]")
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def expand_loops(template: Any, values: Mapping[str, str] | None = None) -> Any:
    """Return a template with its Fn::ForEach loops unrolled, as the AWS::LanguageExtensions transform does.

    Args:
        template: a template, or a part of one.
        values: the values of the loops around this part, by identifier.
    """
    values = values or {}
    match template:
        case {"Ref": str(name), **others} if name in values and not others:
            return values[name]
        case dict():
            expanded: dict[str, Any] = {}
            for key, value in template.items():
                if key.startswith(LOOP):
                    identifier, collection, body = value
                    for item in expand_loops(collection, values):
                        expanded |= expand_loops(body, {**values, identifier: str(item)})
                else:
                    expanded[_fill_in(key, values)] = expand_loops(value, values)
            return expanded
        case list():
            return [expand_loops(value, values) for value in template]
        case str():
            return _fill_in(template, values)
        case _:
            return template


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", _NOT_IN_LOGICAL_IDS.sub("", value))
    return text


def references(part: Any) -> Iterator[str]:
    """Yield the names that a part of a template refers to, by Ref, Fn::GetAtt, Fn::Sub or DependsOn."""
    match part:
        case dict():
            for key, value in part.items():
                match key, value:
                    case "Ref", str():
                        yield value
                    case "Fn::GetAtt", [str() as name, *_]:
                        yield name
                    case "Fn::Sub", str() | [str(), *_]:
                        text = value if isinstance(value, str) else value[0]
                        yield from (name.split(".")[0] for name in _VARIABLE.findall(text))
                    case "DependsOn", str():
                        yield value
                    case "DependsOn", list():
                        yield from value
                yield from references(value)
        case list():
            for value in part:
                yield from references(value)


def dependencies(resources: Mapping[str, Any], name: str) -> set[str]:
    """Return all resources that a resource needs, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in references(resources[waiting.pop()]):
            if other in resources and other not in found and other != name:
                found.add(other)
                waiting.append(other)
    return found


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """Return the names of resources so that each one comes after what it refers to."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        for other in dict.fromkeys(references(resources[name])):
            if other in resources and other not in ordered and other not in under_way:
                under_way.add(other)
                add(other)
        ordered[name] = None

    under_way: set[str] = set()
    for name in resources:
        if name not in ordered:
            under_way.add(name)
            add(name)
    return list(ordered)


def parameter_problem(template: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    """Return what CloudFormation has against the parameters given for a template, in its words, or None."""
    declared = template.get("Parameters", {})
    if unknown := sorted(given.keys() - declared.keys()):
        return f"Parameters: [{', '.join(unknown)}] do not exist in the template"
    missing = [name for name, rule in declared.items() if name not in given and "Default" not in rule]
    if missing:
        return f"Parameters: [{', '.join(missing)}] must have values"
    return next(
        (problem for name, rule in declared.items() if (problem := _violation(name, rule, given))), None
    )


def _violation(name: str, rule: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    value = str(given.get(name, rule.get("Default")))
    explanation = rule.get("ConstraintDescription")
    said = f"Parameter {name} failed to satisfy constraint: "
    if "AllowedValues" in rule and value not in map(str, rule["AllowedValues"]):
        allowed = ", ".join(map(str, rule["AllowedValues"]))
        return f"Parameter '{name}' must be one of AllowedValues: {explanation or f'[{allowed}]'}"
    if "AllowedPattern" in rule and not re.fullmatch(rule["AllowedPattern"], value):
        return said + (explanation or f"must match pattern {rule['AllowedPattern']}")
    if rule.get("Type") == "Number":
        try:
            number = float(value)
        except ValueError:
            return f"Parameter '{name}' must be a number"
        if not float(rule.get("MinValue", number)) <= number <= float(rule.get("MaxValue", number)):
            return said + (explanation or f"from {rule.get('MinValue')} to {rule.get('MaxValue')}")
    return None
