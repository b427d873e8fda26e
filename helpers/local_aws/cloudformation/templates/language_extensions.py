"""The AWS::LanguageExtensions transform: loops, and functions in places that otherwise accept only names."""

import re
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.templates.functions import cidr_blocks, found_in_map
from helpers.local_aws.cloudformation.templates.references import members

TRANSFORM = "AWS::LanguageExtensions"
LOOP = "Fn::ForEach::"
_NOT_IN_LOGICAL_IDS = re.compile(r"[^A-Za-z0-9]")


def transforms(template: Mapping[str, Any]) -> list[str]:
    """Return the names of a template's transforms, then of those within its parts (`Fn::Transform`)."""
    declared = template.get("Transform", [])
    found = list(declared) if isinstance(declared, list) else [declared]
    found += [value for key, value in members(template) if key == "Fn::Transform"]
    return [str(each.get("Name", each)) if isinstance(each, dict) else str(each) for each in found]


def expand(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a template as processed by the transform, for given parameters.

    Loops are expanded. Fn::FindInMap and Fn::Cidr are resolved if they do not depend on a resource.

    Raises:
        ValidationError: A mapping lacks a key, or a loop is malformed.
    """
    looped = expand_loops(template, {}, parameters)
    resolved: dict[str, Any] = _resolved(looped, parameters, template.get("Mappings", {}))
    return resolved


def expand_loops(
    part: Any, values: Mapping[str, str] | None = None, parameters: Mapping[str, str] | None = None
) -> Any:
    """Return a part of a template with its Fn::ForEach loops expanded.

    Args:
        part: A template, or a part of one.
        values: the values of the enclosing loops by identifier.
        parameters: the values of the template's parameters, which loops can iterate over.

    Raises:
        ValidationError: A loop is malformed.
    """
    values, parameters = values or {}, parameters or {}
    match part:
        case {"Ref": str(name), **others} if name in values and not others:
            return values[name]
        case dict():
            expanded: dict[str, Any] = {}
            for key, value in part.items():
                if isinstance(key, str) and key.startswith(LOOP):
                    expanded |= _unrolled(key, value, values, parameters)
                else:
                    expanded[_fill_in(key, values)] = expand_loops(value, values, parameters)
            return _plain(expanded)
        case list():
            return [expand_loops(value, values, parameters) for value in part]
        case str():
            return _fill_in(part, values)
        case _:
            return part


def _unrolled(
    key: str, loop: Any, values: Mapping[str, str], parameters: Mapping[str, str]
) -> dict[str, Any]:
    match loop:
        case [str(identifier), collection, dict(body)]:
            expanded: dict[str, Any] = {}
            for item in _items(expand_loops(collection, values, parameters), parameters):
                expanded |= expand_loops(body, {**values, identifier: item}, parameters)
            return expanded
    raise ValidationError(message=f"{key} layout is incorrect")


def _items(collection: Any, parameters: Mapping[str, str]) -> list[str]:
    match collection:
        case {"Ref": str(name)}:
            return [item.strip() for item in parameters.get(name, "").split(",") if item.strip()]
        case list():
            return [str(item) for item in collection]
        case _:
            raise ValidationError(message=f"Fn::ForEach cannot run over {collection!r}")


def _plain(function: dict[str, Any]) -> Any:
    """Return the string of a Fn::Sub that has nothing left to substitute."""
    match function:
        case {"Fn::Sub": str(text)} if "${" not in text:
            return text
        case _:
            return function


def _resolved(part: Any, parameters: Mapping[str, str], mappings: Mapping[str, Any]) -> Any:
    match part:
        case {"Fn::FindInMap": [str(name), str(first), str(second), *default]} if name in mappings:
            return found_in_map(mappings, name, first, second, *default)
        case {"Fn::Cidr": [block, int() | str() as count, *bits]}:
            address = parameters.get(block.get("Ref", "")) if isinstance(block, dict) else block
            return part if address is None else cidr_blocks(address, count, *bits)
        case dict():
            return {key: _resolved(value, parameters, mappings) for key, value in part.items()}
        case list():
            return [_resolved(value, parameters, mappings) for value in part]
        case _:
            return part


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", _NOT_IN_LOGICAL_IDS.sub("", value))
    return text
