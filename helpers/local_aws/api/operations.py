"""Operations of the SageMaker API: each has a handler and the request members that it supports."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.api.response import ApiError, Request, Response
from helpers.local_aws.api.shapes import operation_names, request_problems

_log = logging.getLogger(__name__)

Status = str
"""HTTP status, such as `200 OK`."""


@dataclass(frozen=True)
class Operation:
    """An implemented operation.

    Attributes:
        handler: receives a request of the operation's shape and returns the response; raises ApiError.
        members: the request members that are emulated, such as `ProcessingInputs.S3Input`. A supported member
            includes all of its own members. None supports all.
        wants_caller: whether the handler also takes `caller`: the ARN of the calling role, or None for the
            account itself.
    """

    handler: Callable[..., Response | None]
    members: frozenset[str] | None = None
    wants_caller: bool = False


Operations = Mapping[str, Operation]


def members(*names: str) -> frozenset[str]:
    """Return the supported members of a request, each as a path without list indexes."""
    return frozenset(names)


def answer(
    operations: Operations, name: str, body: bytes, caller: str | None
) -> tuple[Status, Mapping[str, Any]]:
    """Return the HTTP status and the JSON body of the response; a failure is returned as an AWS error."""
    try:
        operation = _find(operations, name)
        request = _checked(name, operation, body)
        with_caller = {"caller": caller} if operation.wants_caller else {}
        return "200 OK", operation.handler(request, **with_caller) or {}
    except ApiError as error:
        return "400 Bad Request", {"__type": error.code, "message": str(error)}
    except Exception as error:
        _log.exception("%s failed", name)
        message = f"The embedded AWS failed in {name}: {error!r}. Its log has the traceback"
        return "400 Bad Request", {"__type": "InternalFailure", "message": message}


def unsupported_members(value: object, supported: frozenset[str] | None, path: str = "") -> Iterator[str]:
    """Yield the paths of members that a request sets but that are not supported."""
    if supported is None or path in supported:
        return
    if isinstance(value, list):
        for item in value:
            yield from unsupported_members(item, supported, path)
    elif isinstance(value, dict) and (not path or any(each.startswith(f"{path}.") for each in supported)):
        for name, member in value.items():
            if member is not None:
                yield from unsupported_members(member, supported, f"{path}.{name}" if path else name)
    else:
        yield path


def _find(operations: Operations, name: str) -> Operation:
    if name in operations:
        return operations[name]
    if name not in operation_names():
        raise ApiError("ValidationException", f"SageMaker has no operation {name}")
    raise ApiError(
        "ValidationException",
        f"The embedded AWS does not implement {name}; docs/embedded-aws.md lists what it executes",
    )


def _checked(name: str, operation: Operation, body: bytes) -> Request:
    """Return a request after checking its shape and its members."""
    try:
        request: Request = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", str(error)) from error
    problems = request_problems(name, request)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ApiError("ValidationException", count + "; ".join(problems))
    unsupported = sorted({*unsupported_members(request, operation.members)})
    if unsupported:
        named = ", ".join(unsupported)
        raise ApiError("ValidationException", f"The embedded AWS does not support {named} of {name}")
    return request
