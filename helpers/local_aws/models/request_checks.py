"""What CreateModel rejects in a request of the right shape, and what of it is not emulated."""

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
"""The members of a request that have an effect here."""


def request_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWS rejects in a request whose shape is right, one sentence each."""
    container = request.get("PrimaryContainer")
    if not container and not request.get("Containers"):
        yield "PrimaryContainer is required to create a model"
    elif isinstance(container, dict) and not {"Image", "ModelPackageName"} & container.keys():
        yield "PrimaryContainer must have Image or ModelPackageName"
    if not request.get("ExecutionRoleArn"):
        yield "ExecutionRoleArn is required to create a model"
    yield from tag_problems(request.get("Tags") or [])


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what of a request has no effect here, as `Containers`."""
    return sorted({*unsupported_members(request, MEMBERS)})
