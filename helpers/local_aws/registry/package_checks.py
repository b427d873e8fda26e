"""Checks CreateModelPackage requests of valid shape, and lists what is not emulated."""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.registry.model_card import card_problems

MEMBERS = members(
    "ClientToken",
    "CustomerMetadataProperties",
    "Domain",
    "DriftCheckBaselines",
    "InferenceSpecification.Containers.ContainerHostname",
    "InferenceSpecification.Containers.Environment",
    "InferenceSpecification.Containers.Framework",
    "InferenceSpecification.Containers.FrameworkVersion",
    "InferenceSpecification.Containers.Image",
    "InferenceSpecification.Containers.ModelDataUrl",
    "InferenceSpecification.Containers.NearestModelName",
    "InferenceSpecification.SupportedContentTypes",
    "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes",
    "InferenceSpecification.SupportedResponseMIMETypes",
    "InferenceSpecification.SupportedTransformInstanceTypes",
    "MetadataProperties",
    "ModelApprovalStatus",
    "ModelCard",
    "ModelMetrics",
    "ModelPackageDescription",
    "ModelPackageGroupName",
    "SamplePayloadUrl",
    "SkipModelValidation",
    "SourceUri",
    "Tags",
    "Task",
)
"""The request members that are stored and returned; models can use their containers."""


def request_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWS rejects a request of valid shape, one sentence per problem."""
    group = request.get("ModelPackageGroupName")
    if not group:
        yield "Missing ARN."
    if group and request.get("Tags"):
        yield "Tags are not supported for versioned model packages; tag the model package group instead"
    if card := request.get("ModelCard"):
        yield from card_problems(card)


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request; this includes unversioned packages."""
    return sorted({*unsupported_members(request, MEMBERS)})
