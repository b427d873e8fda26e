"""Checks requests that create endpoints and their configurations, and lists what is not emulated.

The same rules check pipeline definitions, except for values that are known only during an execution.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.api.tags import tag_problems

CONFIG_MEMBERS = members(
    "EndpointConfigName",
    "KmsKeyId",
    *(
        f"ProductionVariants.{name}"
        for name in (
            *("InitialInstanceCount", "InitialVariantWeight", "InstanceType", "ModelName", "VariantName"),
            *("ContainerStartupHealthCheckTimeoutInSeconds", "ModelDataDownloadTimeoutInSeconds"),
            "VolumeSizeInGB",
        )
    ),
    "Tags",
)
"""The members of a CreateEndpointConfig request that are emulated."""
ENDPOINT_MEMBERS = members("EndpointConfigName", "EndpointName", "Tags")
"""The members of a CreateEndpoint request that are emulated."""


def config_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWS rejects a CreateEndpointConfig request of valid shape, one sentence per problem."""
    for variant in request.get("ProductionVariants") or []:
        yield from (
            f"The variant {variant.get('VariantName')} must have {name}"
            for name in ("ModelName", "InstanceType", "InitialInstanceCount")
            if isinstance(variant, dict) and name not in variant and "ServerlessConfig" not in variant
        )
    yield from tag_problems(request.get("Tags") or [])


def config_not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a CreateEndpointConfig request, such as a second variant."""
    found = {*unsupported_members(request, CONFIG_MEMBERS)}
    variants = request.get("ProductionVariants") or []
    if len(variants) > 1:
        found.add(f"ProductionVariants of {len(variants)} variants")
    return sorted(found)


def endpoint_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWS rejects a CreateEndpoint request of valid shape, one sentence per problem."""
    yield from tag_problems(request.get("Tags") or [])


def endpoint_not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a CreateEndpoint request, such as `DeploymentConfig`."""
    return sorted({*unsupported_members(request, ENDPOINT_MEMBERS)})
