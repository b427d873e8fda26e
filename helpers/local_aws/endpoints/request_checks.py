"""What is rejected of requests that create endpoints and their configurations, and what is not emulated.

A pipeline definition is checked with the same rules, as far as its values are known before an execution.
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
"""The members of a CreateEndpointConfig request that have an effect here."""
ENDPOINT_MEMBERS = members("EndpointConfigName", "EndpointName", "Tags")
"""The members of a CreateEndpoint request that have an effect here."""


def config_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWS rejects in a CreateEndpointConfig request whose shape is right, one sentence each."""
    for variant in request.get("ProductionVariants") or []:
        yield from (
            f"The variant {variant.get('VariantName')} must have {name}"
            for name in ("ModelName", "InstanceType", "InitialInstanceCount")
            if isinstance(variant, dict) and name not in variant and "ServerlessConfig" not in variant
        )
    yield from tag_problems(request.get("Tags") or [])


def config_not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what of a CreateEndpointConfig request has no effect here, as a second variant."""
    found = {*unsupported_members(request, CONFIG_MEMBERS)}
    variants = request.get("ProductionVariants") or []
    if len(variants) > 1:
        found.add(f"ProductionVariants of {len(variants)} variants")
    return sorted(found)


def endpoint_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what AWS rejects in a CreateEndpoint request whose shape is right, one sentence each."""
    yield from tag_problems(request.get("Tags") or [])


def endpoint_not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what of a CreateEndpoint request has no effect here, as `DeploymentConfig`."""
    return sorted({*unsupported_members(request, ENDPOINT_MEMBERS)})
