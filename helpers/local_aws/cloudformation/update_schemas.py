"""Writes the facts about resource types that `schemas` reads: `make schemas`.

The source is the schemas of CloudFormation's registry, as included in cfn-lint, a development dependency.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from helpers.local_aws.cloudformation.schemas import ATTRIBUTES_FILE, SCHEMAS_FILE, Shape

REGION = "us-east-1"
_SCALARS = frozenset({"boolean", "integer", "number", "string"})


def type_names() -> list[str]:
    """Return the names of all resource types of AWS, sorted."""
    return sorted(name for name in _providers() if name.startswith("AWS::"))


def attributes(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the attributes that Fn::GetAtt supports, as regular expressions by type.

    They come from cfn-lint, since the schemas do not contain all of them.
    """
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # noqa: PLC0415 - takes seconds to import

    schemas_of = {name: PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name) for name in names}
    return {name: sorted(schema.get_atts) for name, schema in schemas_of.items()}


def schemas(names: Iterable[str]) -> dict[str, Any]:
    """Return the facts that `ResourceSchema` reads, by sorted type name."""
    providers = _providers()
    return {name: _facts(_load("resources", providers[name])) for name in sorted(names)}


def _providers() -> dict[str, str]:
    return _load("providers", REGION)


def _load(folder: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (files("cfnlint") / "data" / "schemas" / folder / f"{name}.json").read_text(encoding="utf-8")
    )
    return content


def _facts(schema: Mapping[str, Any]) -> dict[str, Any]:
    tagging = schema.get("tagging", {})
    return {
        "primaryIdentifier": _paths(schema, "primaryIdentifier"),
        "createOnly": sorted(_paths(schema, "createOnlyProperties")),
        "conditionalCreateOnly": sorted(_paths(schema, "conditionalCreateOnlyProperties")),
        "readOnly": sorted(_paths(schema, "readOnlyProperties")),
        "tags": tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
        if tagging.get("taggable")
        else None,
        "permissions": {
            handler: sorted(declaration["permissions"])
            for handler, declaration in sorted(schema["handlers"].items())
        },
        "properties": _shape({"type": "object", **schema}),
        "definitions": {name: _shape(part) for name, part in sorted(schema.get("definitions", {}).items())},
    }


def _paths(schema: Mapping[str, Any], key: str) -> list[str]:
    return [path.removeprefix("/properties/") for path in schema.get(key, [])]


def _shape(schema: Mapping[str, Any]) -> Shape:
    match schema:
        case {"$ref": str(reference)}:
            return {"definition": reference.removeprefix("#/definitions/")}
        case {"type": "array", **others}:
            unordered = {"unordered": True} if others.get("insertionOrder") is False else {}
            return {"items": _shape(others.get("items", {})), **unordered}
        case {"type": "object", "properties": properties, "additionalProperties": False, **others}:
            required = sorted(others.get("required", []))
            return {
                "properties": {name: _shape(part) for name, part in sorted(properties.items())},
                **({"required": required} if required else {}),
            }
        case {"type": str(name)} if name in _SCALARS:
            return name
        case _:
            return "json"


def main() -> None:
    """Write the files: schemas for the types with handlers, attributes for all types."""
    SCHEMAS_FILE.write_text(json.dumps(schemas(RESOURCE_TYPES), indent=1) + "\n", encoding="utf-8")
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in attributes(type_names()).items()]
    ATTRIBUTES_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
