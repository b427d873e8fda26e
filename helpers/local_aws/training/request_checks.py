"""Checks CreateTrainingJob requests of valid shape, and lists what is not emulated.

The same rules check pipeline definitions, except for values that are known only during an execution.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.api.tags import tag_problems
from helpers.local_aws.training.script_mode import has_algorithm, is_script_mode

MEMBERS = members(
    "AlgorithmSpecification.ContainerArguments",
    "AlgorithmSpecification.ContainerEntrypoint",
    "AlgorithmSpecification.MetricDefinitions",
    "AlgorithmSpecification.TrainingImage",
    "AlgorithmSpecification.TrainingInputMode",
    "EnableInterContainerTrafficEncryption",
    "EnableNetworkIsolation",
    "Environment",
    "ExperimentConfig",
    "HyperParameters",
    "InputDataConfig.ChannelName",
    "InputDataConfig.CompressionType",
    "InputDataConfig.ContentType",
    "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
    "InputDataConfig.DataSource.S3DataSource.S3DataType",
    "InputDataConfig.DataSource.S3DataSource.S3Uri",
    "InputDataConfig.InputMode",
    "InputDataConfig.RecordWrapperType",
    "OutputDataConfig",
    "ResourceConfig.InstanceCount",
    "ResourceConfig.InstanceType",
    "ResourceConfig.VolumeKmsKeyId",
    "ResourceConfig.VolumeSizeInGB",
    "RoleArn",
    "StoppingCondition.MaxRuntimeInSeconds",
    "Tags",
    "TrainingJobName",
    "VpcConfig",
)
"""The request members that are emulated."""
_VALUES: Mapping[str, frozenset[str]] = {
    "CompressionType": frozenset({"None"}),
    "InputMode": frozenset({"File", "FastFile"}),
    "RecordWrapperType": frozenset({"None"}),
}
"""The emulated values of channel members."""


def request_problems(request: Mapping[str, Any]) -> list[str]:
    """Return why AWS rejects a request of valid shape, one sentence per problem."""
    return [*_channel_problems(request), *_other_problems(request), *tag_problems(request.get("Tags") or [])]


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request, such as `InputMode Pipe`."""
    found = set(unsupported_members(request, MEMBERS))
    for channel in _channels(request):
        for member, supported in _VALUES.items():
            _add_value(found, member, channel.get(member), supported)
        source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
        _add_value(found, "S3DataType", source.get("S3DataType"), frozenset({"S3Prefix"}))
    algorithm = request.get("AlgorithmSpecification") or {}
    if algorithm.get("ContainerArguments") and not is_script_mode(request):
        found.add("AlgorithmSpecification.ContainerArguments without ContainerEntrypoint")
    mode = algorithm.get("TrainingInputMode")
    _add_value(found, "TrainingInputMode", mode, _VALUES["InputMode"])
    count = (request.get("ResourceConfig") or {}).get("InstanceCount")
    if is_script_mode(request) and isinstance(count, int) and count > 1:
        found.add(f"ResourceConfig.InstanceCount {count} with ContainerEntrypoint")
    output = request.get("OutputDataConfig") or {}
    _add_value(found, "OutputDataConfig.CompressionType", output.get("CompressionType"), frozenset({"GZIP"}))
    return sorted(found)


def _add_value(found: set[str], member: str, value: object, supported: frozenset[str]) -> None:
    if isinstance(value, str) and value not in supported:
        found.add(f"{member} {value}")


def _channels(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [channel for channel in request.get("InputDataConfig") or [] if isinstance(channel, dict)]


def _channel_problems(request: Mapping[str, Any]) -> Iterator[str]:
    names = [channel.get("ChannelName") for channel in _channels(request)]
    twice = sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})
    if twice:
        yield f"Duplicate channel names found: [{', '.join(twice)}]"
    for channel in _channels(request):
        if "S3DataSource" not in (channel.get("DataSource") or {}):
            yield f"The channel '{channel.get('ChannelName')}' must have DataSource.S3DataSource"


def _other_problems(request: Mapping[str, Any]) -> Iterator[str]:
    algorithm = request.get("AlgorithmSpecification") or {}
    if not {"TrainingImage", "AlgorithmName"} & algorithm.keys():
        yield "AlgorithmSpecification must have TrainingImage or AlgorithmName"
    if algorithm.get("MetricDefinitions") and has_algorithm(request):
        yield (
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the "
            "request without specifying metric definitions."
        )
    resources = request.get("ResourceConfig") or {}
    yield from (
        f"ResourceConfig must have {name}"
        for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
        if name not in resources
    )
