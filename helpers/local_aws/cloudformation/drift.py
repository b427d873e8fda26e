"""Drift detection, which moto does not know: resources as they are, compared with a stack's template.

As on AWS only properties that the template sets are compared, and types that cannot be read are not checked.
"""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from helpers.local_aws.cloudformation.live_properties import READERS
from helpers.local_aws.cloudformation.resources import Place
from helpers.local_aws.cloudformation.stack_resources import Definition, definitions_of

_SETS = frozenset(
    {
        "ClientIdList",
        "ManagedPolicyArns",
        "Policies",
        "Roles",
        "RouteTableIds",
        "SecurityGroupEgress",
        "SecurityGroupIds",
        "SecurityGroupIngress",
        "SubnetIds",
        "Topics",
    }
)
"""Properties whose order means nothing."""

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


@dataclass(frozen=True)
class Detection:
    """What a detection has found, with the attributes of the API's answers."""

    stack_id: str
    stack_resource_drifts: list[dict[str, Any]]
    stack_drift_detection_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    def with_status(self, *statuses: str) -> list[dict[str, Any]]:
        """Return the resources with some statuses."""
        return [each for each in self.stack_resource_drifts if each["StackResourceDriftStatus"] in statuses]


def detect_drift() -> None:
    """Give moto's API the three operations."""
    CloudFormationResponse.detect_stack_drift = detect_stack_drift
    CloudFormationResponse.describe_stack_drift_detection_status = describe_stack_drift_detection_status
    CloudFormationResponse.describe_stack_resource_drifts = describe_stack_resource_drifts


def detect_stack_drift(response: Any) -> Any:
    """Compare a stack's resources with its template; done at once, AWS takes its time."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    if stack.status not in _DETECTABLE:
        raise ValidationError(
            message=f"Drift detection cannot be performed on [{stack.stack_id}] in {stack.status} state."
        )
    wanted = response._get_param("LogicalResourceIds", [])
    stack.drift_detection = Detection(
        stack.stack_id,
        [
            _drift(stack, name, definition)
            for name, definition in definitions_of(stack.resource_map).items()
            if not wanted or name in wanted
        ],
    )
    return ActionResult({"StackDriftDetectionId": stack.drift_detection.stack_drift_detection_id})


def describe_stack_drift_detection_status(response: Any) -> Any:
    """Tell how a detection ended."""
    wanted = response._get_param("StackDriftDetectionId")
    for stack in response.cloudformation_backend.stacks.values():
        found = getattr(stack, "drift_detection", None)
        if found is not None and found.stack_drift_detection_id == wanted:
            drifted = found.with_status("DELETED", "MODIFIED")
            return ActionResult(
                {
                    "StackId": found.stack_id,
                    "StackDriftDetectionId": wanted,
                    "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
                    "DetectionStatus": "DETECTION_COMPLETE",
                    "DriftedStackResourceCount": len(drifted),
                    "Timestamp": found.timestamp,
                }
            )
    raise ValidationError(message=f"Drift detection with id [{wanted}] does not exist")


def describe_stack_resource_drifts(response: Any) -> Any:
    """Tell what the last detection of a stack has found."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    found = getattr(stack, "drift_detection", None)
    if found is None:
        raise ValidationError(message=f"Drift detection has not been performed on stack [{stack.stack_id}]")
    statuses = response._get_param("StackResourceDriftStatusFilters", [])
    drifts = found.with_status(*statuses) if statuses else found.stack_resource_drifts
    return ActionResult({"StackResourceDrifts": drifts})


def _drift(stack: Any, name: str, definition: Definition) -> dict[str, Any]:
    resource = stack.resource_map._parsed_resources.get(name)
    answer: dict[str, Any] = {
        "StackId": stack.stack_id,
        "LogicalResourceId": name,
        "PhysicalResourceId": getattr(resource, "physical_resource_id", None),
        "ResourceType": definition["Type"],
        "StackResourceDriftStatus": "NOT_CHECKED",
        "Timestamp": datetime.now(UTC),
    }
    read = READERS.get(definition["Type"])
    if read is None or resource is None:
        return answer
    actual = read(resource, Place(stack.account_id, stack.region_name))
    if actual is None:
        return {**answer, "StackResourceDriftStatus": "DELETED"}
    properties = definition.get("Properties", {})
    expected = {key: value for key, value in properties.items() if key in actual}
    actual = {key: actual[key] for key in expected}
    found = list(differences(expected, actual))
    return {
        **answer,
        "StackResourceDriftStatus": "MODIFIED" if found else "IN_SYNC",
        "ExpectedProperties": json.dumps(expected),
        "ActualProperties": json.dumps(actual),
        "PropertyDifferences": found,
    }


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield the differences between what a template says and what is, each with its path."""
    match expected, actual:
        case Mapping(), Mapping():
            yield from _in_mapping(expected, actual, path)
        case list(), list() if path.rsplit("/", 1)[-1] in _SETS:
            was, is_now = [_plain(item) for item in expected], [_plain(item) for item in actual]
            yield from (_difference(f"{path}/{i}", x, None) for i, x in enumerate(was) if x not in is_now)
            yield from (_difference(f"{path}/{i}", None, x) for i, x in enumerate(is_now) if x not in was)
        case list(), list():
            for index, (one, other) in enumerate(itertools.zip_longest(expected, actual)):
                yield from differences(one, other, f"{path}/{index}")
        case _ if _plain(expected) != _plain(actual):
            yield _difference(path, expected, actual)


def _in_mapping(
    expected: Mapping[str, Any], actual: Mapping[str, Any], path: str
) -> Iterator[dict[str, str]]:
    for key in {**expected, **actual}:
        # What the template leaves to its default is no drift.
        if key in expected or actual[key] not in _DEFAULTS:
            yield from differences(expected.get(key), actual.get(key), f"{path}/{key}")


def _plain(value: Any) -> Any:
    """Return a value in the one spelling of those that mean the same, and a group's rule without its text."""
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
