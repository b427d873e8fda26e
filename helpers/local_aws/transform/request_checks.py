"""Checks CreateTransformJob requests of valid shape, and lists what is not emulated.

The same rules check pipeline definitions, except for values that are known only during an execution.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.api.tags import tag_problems
from helpers.local_aws.transform.filters import FilterError, parse_filter

MEMBERS = members(
    "BatchStrategy",
    "DataProcessing",
    "Environment",
    "ExperimentConfig",
    "MaxConcurrentTransforms",
    "MaxPayloadInMB",
    "ModelName",
    "Tags",
    "TransformInput.CompressionType",
    "TransformInput.ContentType",
    "TransformInput.DataSource.S3DataSource",
    "TransformInput.SplitType",
    "TransformJobName",
    "TransformOutput",
    "TransformResources.InstanceCount",
    "TransformResources.InstanceType",
    "TransformResources.VolumeKmsKeyId",
)
"""The request members that are emulated."""
_MAX_TOTAL_MB = 100
_CSV = "text/csv"


def request_problems(request: Mapping[str, Any]) -> list[str]:
    """Return why AWS rejects a request of valid shape, one sentence per problem."""
    return [*_size_problems(request), *tag_problems(request.get("Tags") or [])]


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request, such as `SplitType RecordIO`."""
    found = {*unsupported_members(request, MEMBERS), *_unsupported_processing(request)}
    given = request.get("TransformInput") or {}
    source = (given.get("DataSource") or {}).get("S3DataSource") or {}
    for member, value, supported in (
        ("SplitType", given.get("SplitType"), {"None", "Line"}),
        ("S3DataType", source.get("S3DataType"), {"S3Prefix"}),
    ):
        if isinstance(value, str) and value not in supported:
            found.add(f"{member} {value}")
    if request.get("MaxPayloadInMB") == 0:
        found.add("MaxPayloadInMB 0")
    return sorted(found)


def _size_problems(request: Mapping[str, Any]) -> Iterator[str]:
    payload, concurrent = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms")
    if isinstance(payload, int) and isinstance(concurrent, int) and payload * concurrent > _MAX_TOTAL_MB:
        yield f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {_MAX_TOTAL_MB} MB"


def _unsupported_processing(request: Mapping[str, Any]) -> Iterator[str]:
    config = request.get("DataProcessing") or {}
    for member in ("InputFilter", "OutputFilter"):
        if isinstance(text := config.get(member), str):
            try:
                parse_filter(text)
            except FilterError as error:
                yield str(error)
    given, output = request.get("TransformInput") or {}, request.get("TransformOutput") or {}
    content_type = given.get("ContentType")
    if config and isinstance(content_type, str) and content_type != _CSV:
        yield f"DataProcessing of {content_type}, of {_CSV} alone"
    if config.get("JoinSource") == "Input" and (given.get("SplitType"), output.get("AssembleWith")) != (
        "Line",
        "Line",
    ):
        yield "JoinSource Input without SplitType Line and AssembleWith Line, by which records are matched"
