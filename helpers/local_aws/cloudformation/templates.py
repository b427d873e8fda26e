"""Templates as CloudFormation reads them, where moto does not: Fn::ForEach, parameter constraints, order."""

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from helpers.infra.constraints import violations

LOOP = "Fn::ForEach::"
_NOT_IN_LOGICAL_IDS = re.compile(r"[^A-Za-z0-9]")
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def expand(template: Mapping[str, Any], given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a template as the AWS::LanguageExtensions transform leaves it, for given parameters.

    Loops are unrolled, functions stand where CloudFormation alone takes names (`Ref: !Sub …`). What needs no
    resource to be known is worked out: Fn::Cidr, which moto does not know, and Fn::FindInMap, in which it
    takes a parameter for a mapping of the same name.

    Args:
        template: a template with the transform.
        given: the values of its parameters; the others have their defaults.

    Raises:
        LookupError: a mapping does not have what is looked for.
    """
    known = with_defaults(template, given or {})
    expanded: dict[str, Any] = _worked_out(
        expand_loops(template, {}, known), known, template.get("Mappings", {})
    )
    return expanded


def by_name(conditions: Any) -> Any:
    """Return conditions that name others as AWS does; moto makes a function of `!Condition`."""
    match conditions:
        case {"Fn::Condition": str(name)}:
            return {"Condition": name}
        case dict():
            return {key: by_name(value) for key, value in conditions.items()}
        case list():
            return [by_name(value) for value in conditions]
        case _:
            return conditions


def with_defaults(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return the values of all parameters that have one, given or by default."""
    defaults = {
        name: str(rule["Default"])
        for name, rule in template.get("Parameters", {}).items()
        if "Default" in rule
    }
    return {**defaults, **given}


def expand_loops(
    part: Any, values: Mapping[str, str] | None = None, parameters: Mapping[str, str] | None = None
) -> Any:
    """Return a part of a template with its Fn::ForEach loops unrolled.

    Args:
        part: a template, or a part of one.
        values: the values of the loops around this part, by identifier.
        parameters: the values of the template's parameters, which loops may run over.
    """
    values, parameters = values or {}, parameters or {}
    match part:
        case {"Ref": str(name), **others} if name in values and not others:
            return values[name]
        case dict():
            expanded: dict[str, Any] = {}
            for key, value in part.items():
                if key.startswith(LOOP):
                    identifier, collection, body = value
                    for item in _items(expand_loops(collection, values, parameters), parameters):
                        expanded |= expand_loops(body, {**values, identifier: item}, parameters)
                else:
                    expanded[_fill_in(key, values)] = expand_loops(value, values, parameters)
            return _plain(expanded)
        case list():
            return [expand_loops(value, values, parameters) for value in part]
        case str():
            return _fill_in(part, values)
        case _:
            return part


def _items(collection: Any, parameters: Mapping[str, str]) -> list[str]:
    match collection:
        case {"Ref": str(name)}:
            return [item.strip() for item in parameters.get(name, "").split(",") if item.strip()]
        case _:
            return [str(item) for item in collection]


def _plain(function: dict[str, Any]) -> Any:
    """Return the text of a Fn::Sub in which nothing is left to substitute."""
    match function:
        case {"Fn::Sub": str(text)} if "${" not in text:
            return text
        case _:
            return function


def _worked_out(part: Any, parameters: Mapping[str, str], mappings: Mapping[str, Any]) -> Any:
    match part:
        case {"Fn::FindInMap": [str(name), str(first), str(second)]} if name in mappings:
            try:
                return mappings[name][first][second]
            except KeyError as error:
                text = f"Template error: Unable to get mapping for {name}::{first}::{second}"
                raise LookupError(text) from error
        case {"Fn::Cidr": [block, count, *bits]}:
            address = parameters.get(block["Ref"], "") if isinstance(block, dict) else block
            network = ipaddress.ip_network(address)
            subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits[0]))
            return [str(subnet) for subnet in itertools.islice(subnets, int(count))]
        case dict():
            return {key: _worked_out(value, parameters, mappings) for key, value in part.items()}
        case list():
            return [_worked_out(value, parameters, mappings) for value in part]
        case _:
            return part


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
    return next(violations(template, given), None)
