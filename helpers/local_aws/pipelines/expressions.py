"""The functions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

FUNCTIONS = frozenset({"Get", "Std:Join", "Std:JsonGet"})

_PATH_PART = re.compile(r"""\.?(?P<name>[A-Za-z0-9_\-]+)|\[(?P<index>\d+)\]|\[(['"])(?P<key>.+?)\3\]""")
_LISTS_BY_NAME = ("OutputName", "InputName")


class ExpressionError(ValueError):
    """An expression names something that is not there, or is not of a function's form."""


def is_expression(value: object) -> bool:
    """Tell whether a value of a definition is a function, so that it is only known during an execution."""
    return isinstance(value, dict) and len(value) == 1 and not FUNCTIONS.isdisjoint(value)


def references(value: object) -> Iterator[str]:
    """Yield each `Get` in a value, as `Parameters.Name`, `Execution.Name` or `Steps.Name.Property`."""
    if isinstance(value, dict):
        if isinstance(value.get("Get"), str) and len(value) == 1:
            yield value["Get"]
        else:
            for entry in value.values():
                yield from references(entry)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def referenced_step(reference: str) -> str | None:
    """Return the step that a reference needs, or None for parameters and execution variables."""
    parts = reference.split(".")
    return parts[1] if parts[0] == "Steps" and len(parts) > 1 else None


Lookup = Callable[[str], object]
"""Returns the value of a `Get`; raises ExpressionError for what is not there."""

ReadPropertyFile = Callable[[str], object]
"""Returns the JSON content of a property file, given its `Get`, as `Steps.Name.PropertyFiles.File`."""


def resolve(value: object, lookup: Lookup, read_property_file: ReadPropertyFile) -> Any:
    """Return a value of a definition with all functions replaced by what they give.

    Raises:
        ExpressionError: a function that is malformed, or whose reference or path leads nowhere.
    """

    def walk(node: object) -> object:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if not is_expression(node):
            return {key: walk(entry) for key, entry in node.items()}
        ((function, argument),) = node.items()
        match function, argument:
            case "Get", str():
                return lookup(argument)
            case "Std:Join", {"On": str(separator), "Values": list(values)}:
                return separator.join(_as_text(walk(item)) for item in values)
            case "Std:JsonGet", {"PropertyFile": {"Get": str(file)}, "Path": str(path)}:
                return follow_path(read_property_file(file), path, f"property file {file}")
        raise ExpressionError(f"{function} does not take {argument!r}")

    return walk(value)


def follow_path(document: object, path: str, what: str) -> object:
    """Return what a path such as `metrics.rmse[0]` or `Outputs['csv'].S3Output.S3Uri` leads to.

    A list of named things (the inputs and outputs of a job) can be entered by name.

    Raises:
        ExpressionError: the path leads nowhere, or is none.
    """
    position = 0
    node = document
    while position < len(path):
        match = _PATH_PART.match(path, position)
        if not match:
            raise ExpressionError(f"'{path}' is no path into {what}")
        position = match.end()
        part = match["name"] or match["key"] or int(match["index"])
        try:
            node = _enter(node, part)
        except (KeyError, IndexError, TypeError) as error:
            raise ExpressionError(f"{what} has no '{path}' (nothing at '{part}')") from error
    return node


def _enter(node: object, part: str | int) -> object:
    if isinstance(node, Mapping) and isinstance(part, str):
        return node[part]
    if isinstance(node, list) and isinstance(part, int):
        return node[part]
    if isinstance(node, list):
        for item in node:
            if isinstance(item, Mapping) and part in (item.get(name) for name in _LISTS_BY_NAME):
                return item
    raise KeyError(part)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
