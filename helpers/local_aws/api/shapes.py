"""Validates requests against the API's shapes, from botocore's service model of SageMaker."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}

KnownLater = Callable[[object, Shape], Sequence[str] | None]
"""Checks a value that is known only later, such as `{"Get": "Parameters.X"}` in a pipeline definition.

Returns None for a plain value; otherwise, the problems of the value if a shape is expected.
"""


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of the SageMaker API. Loading it takes about 0.3 s."""
    return botocore.session.get_session().get_service_model("sagemaker")


@cache
def operation_names() -> frozenset[str]:
    """Return the names of all operations of the API."""
    return frozenset(service_model().operation_names)


def shape(name: str) -> StructureShape:
    """Return a structure of the API by its name, such as `CreateProcessingJobRequest`."""
    return cast("StructureShape", service_model().shape_for(name))


def request_shape(operation: str) -> StructureShape:
    """Return the shape of an operation's request, such as `CreateTrainingJob`."""
    return cast("StructureShape", service_model().operation_model(operation).input_shape)


def request_problems(operation: str, request: Mapping[str, Any]) -> list[str]:
    """Return the problems of an operation's request, one sentence each, in the service's words."""
    input_shape = service_model().operation_model(operation).input_shape
    return [] if input_shape is None else list(shape_problems(request, input_shape))


def shape_problems(
    value: object, expected: Shape, path: str = "", known_later: KnownLater = lambda _value, _shape: None
) -> Iterator[str]:
    """Yield the problems of a value: unknown and missing members, types, limits, enums, patterns."""
    where = path or "request"
    if (problems := known_later(value, expected)) is not None:
        yield from (f"Value at '{where}': {problem}" for problem in problems)
        return
    if not isinstance(value, PYTHON_TYPES[expected.type_name]) or (
        isinstance(value, bool) and expected.type_name != "boolean"
    ):
        yield f"Value at '{where}' must be of type {expected.type_name}, not {type(value).__name__}"
        return
    match expected:
        case StructureShape():
            yield from _structure_problems(cast("dict[str, object]", value), expected, path, known_later)
        case ListShape():
            items = cast("list[object]", value)
            yield from _limit_problems(len(items), expected, where, "length")
            for index, item in enumerate(items):
                yield from shape_problems(item, expected.member, f"{where}[{index}]", known_later)
        case MapShape():
            entries = cast("dict[str, object]", value)
            yield from _limit_problems(len(entries), expected, where, "length")
            for key, entry in entries.items():
                yield from shape_problems(key, expected.key, f"{where}.{key}", known_later)
                yield from shape_problems(entry, expected.value, f"{where}.{key}", known_later)
        case _:
            yield from _scalar_problems(value, expected, where)


def _structure_problems(
    value: Mapping[str, object], expected: StructureShape, path: str, known_later: KnownLater
) -> Iterator[str]:
    where = path or "request"
    for name in expected.required_members:
        if value.get(name) is None:
            yield f"Value at '{where}' misses the required member '{name}'"
    for name, member in value.items():
        if name not in expected.members:
            known = ", ".join(expected.members)
            yield f"Value at '{where}' has the unknown member '{name}'; known are {known}"
        elif member is not None:
            yield from shape_problems(
                member, expected.members[name], f"{path}.{name}" if path else name, known_later
            )


def _scalar_problems(value: object, expected: Shape, where: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _limit_problems(len(value), expected, where, "length")
        allowed = getattr(expected, "enum", [])
        if allowed and value not in allowed:
            yield f"Value '{value}' at '{where}' must be one of {', '.join(allowed)}"
        pattern = _compiled(expected.metadata.get("pattern", ""))
        if pattern and not pattern.fullmatch(value):
            yield f"Value '{value}' at '{where}' must match the pattern {pattern.pattern}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _limit_problems(value, expected, where, "value")


def _limit_problems(size: float, expected: Shape, where: str, what: str) -> Iterator[str]:
    low, high = expected.metadata.get("min"), expected.metadata.get("max")
    if low is not None and size < low:
        yield f"Value at '{where}' must have a {what} of at least {low}, not {size}"
    if high is not None and size > high:
        yield f"Value at '{where}' must have a {what} of at most {high}, not {size}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    r"""Return a pattern of the model, or None for the few (18 of 482) in Java's syntax, such as `\p{L}`."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
