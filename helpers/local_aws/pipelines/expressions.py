"""The functions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

FUNCTIONS = frozenset({"Get", "Std:Join", "Std:JsonGet"})

_PATH_PART = re.compile(r"""\.?(?P<name>[A-Za-z0-9_\-]+)|\[(?P<index>\d+)\]|\[(['"])(?P<key>.+?)\3\]""")
_NAMES_OF_ENTRIES = ("OutputName", "InputName", "MetricName", "ChannelName")
"""The members whose value can name an entry of a list in a path, as in `Outputs['csv']`."""


class ExpressionError(ValueError):
    """An expression refers to a value that does not exist, or is malformed."""


def is_expression(value: object) -> bool:
    """Return whether a value of a definition is a function, which is known only during an execution."""
    return isinstance(value, dict) and len(value) == 1 and not FUNCTIONS.isdisjoint(value)


def function_problems(value: object) -> Iterator[str]:
    """Yield the functions in a value that are malformed."""
    if isinstance(value, list):
        for item in value:
            yield from function_problems(item)
    elif isinstance(value, dict):
        if len(value) == 1 and (name := str(next(iter(value)))).startswith("Std:") and name not in FUNCTIONS:
            yield f"the function {name} is unknown; known are {', '.join(sorted(FUNCTIONS))}"
        elif is_expression(value) and not _is_well_formed(value):
            ((function, argument),) = value.items()
            yield f"{function} does not take {argument!r}"
        for entry in value.values():
            yield from function_problems(entry)


def _is_well_formed(expression: Mapping[str, object]) -> bool:
    match expression:
        case {"Get": str()}:
            return True
        case {"Std:Join": {"Values": list(), **rest}}:
            return set(rest) <= {"On"} and isinstance(rest.get("On", ""), str)
        case {"Std:JsonGet": {"PropertyFile": {"Get": str()}, "Path": str(), **rest}}:
            return not rest
        case {"Std:JsonGet": {"S3Uri": uri, "Path": str(), **rest}}:
            return not rest and (isinstance(uri, str) or is_expression(uri))
    return False


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
    """Return the step that a reference depends on, or None for parameters and execution variables."""
    parts = reference.split(".")
    return parts[1] if parts[0] == "Steps" and len(parts) > 1 else None


Lookup = Callable[[str], object]
"""Returns the value of a `Get`; raises ExpressionError if it does not exist."""

ReadJson = Callable[[str], object]
"""Returns the JSON document at an S3 URI, or that of a property file, given as
`Steps.Name.PropertyFiles.File`; raises ExpressionError."""


def resolve(value: object, lookup: Lookup, read_property_file: ReadJson, read_s3: ReadJson) -> Any:
    """Return a value of a definition with all functions replaced by their values.

    Raises:
        ExpressionError: a function is malformed, or its reference or path does not exist.
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
            case "Std:Join", {"Values": list(values), **rest}:
                return str(rest.get("On", "")).join(_as_text(walk(item)) for item in values)
            case "Std:JsonGet", {"PropertyFile": {"Get": str(file)}, "Path": str(path)}:
                return follow_path(read_property_file(file), path, f"property file {file}")
            case "Std:JsonGet", {"S3Uri": uri, "Path": str(path)}:
                return follow_path(read_s3(str(walk(uri))), path, f"{walk(uri)}")
        raise ExpressionError(f"{function} does not take {argument!r}")

    return walk(value)


def path_parts(path: str, what: str) -> Iterator[str | int]:
    """Yield the names and indexes of a path such as `metrics.rmse[0]` or `Outputs['csv'].S3Output.S3Uri`.

    Raises:
        ExpressionError: the path is malformed.
    """
    position = 0
    while position < len(path):
        match = _PATH_PART.match(path, position)
        if not match:
            raise ExpressionError(f"'{path}' is not a path into {what}")
        position = match.end()
        yield match["name"] or match["key"] or int(match["index"])


def follow_path(document: object, path: str, what: str) -> object:
    """Return the value at a path such as `metrics.rmse[0]` or `Outputs['csv'].S3Output.S3Uri`.

    An entry of a list of named items (the inputs and outputs of a job) can be selected by name.

    Raises:
        ExpressionError: the path does not exist or is malformed.
    """
    node = document
    for part in path_parts(path, what):
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
            if isinstance(item, Mapping) and part in (item.get(name) for name in _NAMES_OF_ENTRIES):
                return item
    raise KeyError(part)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
