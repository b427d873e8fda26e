"""Facts about resource types from the schemas of AWS, which `update_schemas` writes."""

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS_FILE = Path(__file__).with_name("schemas.json")
ATTRIBUTES_FILE = Path(__file__).with_name("attributes.json")

Shape = str | Mapping[str, Any]
"""The shape of a value: `string`, `boolean`, `integer`, `number`, `json` (anything), `{items, unordered?}`
for a list, `{properties, required?}` for an object, `{definition}` for one of the schema's definitions."""


@dataclass(frozen=True)
class ResourceSchema:
    """The schema of a resource type.

    Attributes:
        primary_identifier: the properties that identify a resource.
        create_only: paths (`Budget/BudgetName`) of properties whose change replaces the resource.
        conditional_create_only: paths of properties whose change can replace it.
        read_only: paths of attributes that a template cannot set.
        tags: the property for the stack's tags; None if the type has no tags.
        permissions: the IAM actions that each handler (create, read, update, delete, list) needs.
        properties: the shape of the properties.
        definitions: shapes that other shapes refer to.
    """

    primary_identifier: tuple[str, ...]
    create_only: frozenset[str]
    conditional_create_only: frozenset[str]
    read_only: frozenset[str]
    tags: str | None
    permissions: Mapping[str, list[str]]
    properties: Shape
    definitions: Mapping[str, Shape]

    def resolved(self, shape: Shape) -> Shape:
        """Return a shape, or the definition that it refers to."""
        while isinstance(shape, Mapping) and "definition" in shape:
            shape = self.definitions.get(shape["definition"], "json")
        return shape

    def member(self, shape: Shape, name: str) -> Shape:
        """Return the shape of a property of an object."""
        resolved = self.resolved(shape)
        return resolved.get("properties", {}).get(name, "json") if isinstance(resolved, Mapping) else "json"

    def items(self, shape: Shape) -> Shape:
        """Return the shape of a list's items."""
        resolved = self.resolved(shape)
        return resolved.get("items", "json") if isinstance(resolved, Mapping) else "json"

    def is_unordered(self, shape: Shape) -> bool:
        """Return whether the order of a list has no meaning."""
        resolved = self.resolved(shape)
        return isinstance(resolved, Mapping) and bool(resolved.get("unordered"))

    def coerced(self, value: Any, shape: Shape | None = None) -> Any:
        """Return properties with strings converted to booleans and numbers, and the reverse."""
        shape = self.resolved(self.properties if shape is None else shape)
        match value:
            case dict():
                return {key: self.coerced(part, self.member(shape, key)) for key, part in value.items()}
            case list():
                return [self.coerced(part, self.items(shape)) for part in value]
            case _:
                return _scalar(value, shape)

    def problems(self, value: Any, shape: Shape | None = None, path: str = "#") -> Iterator[str]:
        """Yield the problems of properties in the service's words; functions are skipped."""
        shape = self.resolved(self.properties if shape is None else shape)
        match value:
            case {"Fn::If": [_, *branches]} if len(value) == 1:
                for branch in branches:
                    yield from self.problems(branch, shape, path)
            case dict() if not is_function(value):
                yield from self._problems_of_object(value, shape, path)
            case list() if isinstance(shape, Mapping) and "items" in shape:
                for index, part in enumerate(value):
                    yield from self.problems(part, shape["items"], f"{path}/{index}")
            case list() if isinstance(shape, str) and shape != "json":
                yield f"{path}: expected type: {shape.capitalize()}, found: JSONArray"
            case str() | int() | float() if isinstance(shape, Mapping) and "properties" in shape:
                yield f"{path}: expected type: JSONObject, found: {type(value).__name__.capitalize()}"

    def _problems_of_object(self, value: Mapping[str, Any], shape: Shape, path: str) -> Iterator[str]:
        if isinstance(shape, str):
            if shape != "json":
                yield f"{path}: expected type: {shape.capitalize()}, found: JSONObject"
            return
        if "properties" not in shape:
            yield f"{path}: expected type: JSONArray, found: JSONObject"
            return
        known = shape["properties"]
        for name, part in value.items():
            if name in known:
                yield from self.problems(part, known[name], f"{path}/{name}")
            else:
                yield f"{path}: extraneous key [{name}] is not permitted"
        for name in shape.get("required", []):
            if name not in value:
                yield f"{path}: required key [{name}] not found"


def is_function(part: Any) -> bool:
    """Return whether a part of a template is a function."""
    if not isinstance(part, dict) or len(part) != 1:
        return False
    (name,) = part
    return isinstance(name, str) and (name == "Ref" or name.startswith("Fn::"))


def _scalar(value: Any, shape: Shape) -> Any:
    match shape, value:
        case "boolean", str() if value.lower() in {"true", "false"}:
            return value.lower() == "true"
        case "integer", str() | float() if _is_whole(value):
            return int(float(value))
        case "number", str():
            try:
                return int(value) if _is_whole(value) else float(value)
            except ValueError:
                return value
        case "string", bool():
            return str(value).lower()
        case "string", int() | float():
            return str(value)
    return value


def _is_whole(value: str | float) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return False


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SCHEMAS_FILE.read_text(encoding="utf-8"))
    return content


@cache
def schema_of(type_name: str) -> ResourceSchema | None:
    """Return the schema of a type, or None if it is not available."""
    facts = _content().get(type_name)
    if facts is None:
        return None
    return ResourceSchema(
        primary_identifier=tuple(facts["primaryIdentifier"]),
        create_only=frozenset(facts["createOnly"]),
        conditional_create_only=frozenset(facts["conditionalCreateOnly"]),
        read_only=frozenset(facts["readOnly"]),
        tags=facts["tags"],
        permissions=facts["permissions"],
        properties=facts["properties"],
        definitions=facts["definitions"],
    )


@cache
def _attributes() -> Mapping[str, list[str]]:
    content: dict[str, list[str]] = json.loads(ATTRIBUTES_FILE.read_text(encoding="utf-8"))
    return content


def type_names() -> Set[str]:
    """Return the names of all resource types of AWS."""
    return _attributes().keys()


def has_attribute(type_name: str, name: str) -> bool:
    """Return whether Fn::GetAtt supports an attribute of a type; custom resources can have any attribute."""
    known = _attributes().get(type_name, [".*"])
    return any(re.fullmatch(each, name) for each in known)
