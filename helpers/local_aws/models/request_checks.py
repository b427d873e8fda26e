"""Checks CreateModel requests of valid shape, and lists what is not emulated."""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.api.tags import tag_problems

MEMBERS = members(
    "EnableNetworkIsolation",
    "ExecutionRoleArn",
    "ModelName",
    "PrimaryContainer.ContainerHostname",
    "PrimaryContainer.Environment",
    "PrimaryContainer.Image",
    "PrimaryContainer.ModelDataUrl",
    "PrimaryContainer.ModelPackageName",
    "Tags",
    "VpcConfig",
)
"""The request members that are emulated."""


def request_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWS rejects a request of valid shape, one sentence per problem."""
    container = request.get("PrimaryContainer")
    if not container and not request.get("Containers"):
        yield "PrimaryContainer is required to create a model"
    elif isinstance(container, dict) and not {"Image", "ModelPackageName"} & container.keys():
        yield "PrimaryContainer must have Image or ModelPackageName"
    if not request.get("ExecutionRoleArn"):
        yield "ExecutionRoleArn is required to create a model"
    yield from tag_problems(request.get("Tags") or [])


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request, such as `Containers`."""
    return sorted({*unsupported_members(request, MEMBERS)})
