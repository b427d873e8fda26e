"""Drift detection: compares the actual resources with a stack's template.

As on AWS, only properties that the template sets are compared. Types that cannot be read are not checked.
"""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.resource_types.base import Resource
from helpers.local_aws.cloudformation.schemas import ResourceSchema, Shape
from helpers.local_aws.cloudformation.stacks import Detection, Stack

_DEFAULTS: tuple[Any, ...] = ({}, [], "", False, None, "false")

_DETECTABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
    }
)


def detect(stack: Stack, wanted: Collection[str] = ()) -> Detection:
    """Compare all resources of a stack, or the given ones, with its template.

    Raises:
        ValidationError: the status of the stack does not allow drift detection.
    """
    if stack.status not in _DETECTABLE:
        raise ValidationError(
            message=f"Drift detection cannot be performed on [{stack.stack_id}] in {stack.status} state."
        )
    drifts = [
        _drift(stack, resource) for name, resource in stack.resources.items() if not wanted or name in wanted
    ]
    return Detection(stack.stack_id, drifts)


def _drift(stack: Stack, resource: Resource) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "StackId": stack.stack_id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type_name,
        "StackResourceDriftStatus": "NOT_CHECKED",
        "Timestamp": datetime.now(UTC),
    }
    type_ = stack.type_of(resource)
    schema = type_.schema()
    if schema is None or not type_.can_be_read():
        return answer
    actual = type_.read(resource)
    if actual is None:
        return {**answer, "StackResourceDriftStatus": "DELETED"}
    properties = resource.definition.get("Properties", {})
    expected = {key: value for key, value in properties.items() if key in actual}
    actual = {key: actual[key] for key in expected}
    found = list(differences(expected, actual, schema))
    return {
        **answer,
        "StackResourceDriftStatus": "MODIFIED" if found else "IN_SYNC",
        "ExpectedProperties": json.dumps(expected),
        "ActualProperties": json.dumps(actual),
        "PropertyDifferences": found,
    }


def differences(expected: Any, actual: Any, schema: ResourceSchema) -> Iterator[dict[str, str]]:
    """Yield the differences between expected and actual properties, each with its path."""
    yield from _differences(expected, actual, schema, schema.properties, "")


def _differences(
    expected: Any, actual: Any, schema: ResourceSchema, shape: Shape, path: str
) -> Iterator[dict[str, str]]:
    match expected, actual:
        case Mapping(), Mapping():
            for key in {**expected, **actual}:
                # A property that the template does not set is not drift.
                if key in expected or actual[key] not in _DEFAULTS:
                    member = schema.member(shape, key)
                    yield from _differences(
                        expected.get(key), actual.get(key), schema, member, f"{path}/{key}"
                    )
        case list(), list() if schema.is_unordered(shape):
            was, is_now = [_plain(item) for item in expected], [_plain(item) for item in actual]
            yield from (_difference(f"{path}/{i}", x, None) for i, x in enumerate(was) if x not in is_now)
            yield from (_difference(f"{path}/{i}", None, x) for i, x in enumerate(is_now) if x not in was)
        case list(), list():
            items = schema.items(shape)
            for index, (one, other) in enumerate(itertools.zip_longest(expected, actual)):
                yield from _differences(one, other, schema, items, f"{path}/{index}")
        case _ if _plain(expected) != _plain(actual):
            yield _difference(path, expected, actual)


def _plain(value: Any) -> Any:
    """Return a value in a canonical form, and the rule of a security group without its description."""
    match value:
        case {"IpProtocol": protocol, **others}:
            ignored = {"Description", *(("FromPort", "ToPort") if str(protocol) == "-1" else ())}
            kept = {key: _plain(item) for key, item in others.items() if key not in ignored}
            return {"IpProtocol": str(protocol), **kept}
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bool():
            return str(value).lower()
        case None:
            return None
        case _:
            return str(value)


def _difference(path: str, expected: Any, actual: Any) -> dict[str, str]:
    kind = "ADD" if expected is None else "REMOVE" if actual is None else "NOT_EQUAL"
    return {
        "PropertyPath": path,
        "ExpectedValue": _text(expected),
        "ActualValue": _text(actual),
        "DifferenceType": kind,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
