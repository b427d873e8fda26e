"""Finds the references between the parts of a template, and the order of its resources."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def members(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the keys of all objects in a part of a template with their values, outer objects first."""
    match part:
        case dict():
            for key, value in part.items():
                yield key, value
                yield from members(value)
        case list():
            for value in part:
                yield from members(value)


def references(part: Any) -> Iterator[str]:
    """Yield the names that a part of a template refers to with Ref, Fn::GetAtt, Fn::Sub or DependsOn."""
    for key, value in members(part):
        yield from _named(key, value)


def _named(key: str, value: Any) -> Iterator[str]:
    match key, value:
        case "Ref", str():
            yield value
        case "Fn::GetAtt", [str() as name, *_]:
            yield name
        case "Fn::GetAtt", str():
            yield value.split(".")[0]
        case "Fn::Sub", _:
            yield from (variable.split(".")[0] for variable in variables(value))
        case "DependsOn", str():
            yield value
        case "DependsOn", list():
            yield from value


def variables(argument: Any) -> list[str]:
    """Return the template names in a Fn::Sub, as `Name` or `Name.Attribute`, without its own variables."""
    match argument:
        case str(text):
            given: Mapping[str, Any] = {}
        case [str(text), dict(given)]:
            pass
        case _:
            return []
    return [name for found in _VARIABLE.findall(text) if (name := found.strip()) not in given]


def dependencies(resources: Mapping[str, Any], name: str) -> set[str]:
    """Return all direct and indirect dependencies of a resource, including itself if they are circular."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in references(resources[waiting.pop()]):
            if other in resources and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """Return the names of resources, each after those that it refers to."""
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


def circle(resources: Mapping[str, Any]) -> list[str]:
    """Return the names of the resources in a circular dependency."""
    return [name for name in resources if name in dependencies(resources, name)]
