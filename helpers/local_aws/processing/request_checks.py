"""Checks CreateProcessingJob requests of valid shape, and lists what is not emulated.

The same rules check pipeline definitions, except for values that are known only during an execution.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.api.tags import tag_problems

MEMBERS = members(
    "AppSpecification",
    "Environment",
    "ExperimentConfig",
    "NetworkConfig",
    "ProcessingInputs.AppManaged",
    "ProcessingInputs.InputName",
    "ProcessingInputs.S3Input",
    "ProcessingJobName",
    "ProcessingOutputConfig.KmsKeyId",
    "ProcessingOutputConfig.Outputs.AppManaged",
    "ProcessingOutputConfig.Outputs.OutputName",
    "ProcessingOutputConfig.Outputs.S3Output",
    "ProcessingResources.ClusterConfig.InstanceCount",
    "ProcessingResources.ClusterConfig.InstanceType",
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
    "ProcessingResources.ClusterConfig.VolumeSizeInGB",
    "RoleArn",
    "StoppingCondition",
    "Tags",
)
"""The request members that are emulated."""
_CONTAINER_ROOT = "/opt/ml"


def request_problems(request: Mapping[str, Any]) -> list[str]:
    """Return why AWS rejects a request of valid shape, one sentence per problem."""
    return [
        *_repeated_names(request),
        *_path_problems(request),
        *tag_problems(request.get("Tags") or []),
    ]


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request, such as `ProcessingInputs.DatasetDefinition`."""
    found = set(unsupported_members(request, MEMBERS))
    for entry in _inputs(request):
        source = entry.get("S3Input") or {}
        for member, supported in (
            ("S3DataType", "S3Prefix"),
            ("S3InputMode", "File"),
            ("S3CompressionType", "None"),
        ):
            value = source.get(member, supported)
            if isinstance(value, str) and value != supported:
                found.add(f"{member} {value}")
    found |= {
        f"{kind} with AppManaged" for kind, entry in _entries(request) if entry.get("AppManaged") is True
    }
    return sorted(found)


def _inputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry for entry in request.get("ProcessingInputs") or [] if isinstance(entry, dict)]


def outputs_of(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the outputs of a request that are known."""
    config = request.get("ProcessingOutputConfig")
    entries = config.get("Outputs") if isinstance(config, dict) else None
    return [entry for entry in entries or [] if isinstance(entry, dict)]


def _entries(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (("an input", entry) for entry in _inputs(request))
    yield from (("an output", entry) for entry in outputs_of(request))


def _repeated_names(request: Mapping[str, Any]) -> Iterator[str]:
    names = [entry.get("InputName") for entry in _inputs(request)]
    names += [entry.get("OutputName") for entry in outputs_of(request)]
    twice = sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})
    if twice:
        yield f"Input and Output names must be globally unique: [{', '.join(twice)}]"


def _path_problems(request: Mapping[str, Any]) -> Iterator[str]:
    taken: dict[str, str] = {}
    for kind, entry in _entries(request):
        is_input = "InputName" in entry
        name = entry.get("InputName" if is_input else "OutputName")
        place = entry.get("S3Input" if is_input else "S3Output")
        if not isinstance(place, dict):
            if not entry.get("DatasetDefinition") and not entry.get("FeatureStoreOutput"):
                yield f"{kind} '{name}' must have {'S3Input' if is_input else 'S3Output'}"
            continue
        path = place.get("LocalPath")
        if isinstance(path, dict):  # known only during an execution
            continue
        if not isinstance(path, str) or not f"{path.rstrip('/')}/".startswith(f"{_CONTAINER_ROOT}/"):
            yield f"LocalPath of {kind} '{name}' must begin with {_CONTAINER_ROOT}/processing/, not {path!r}"
        elif is_input and (other := taken.setdefault(path.rstrip("/"), str(name))) != name:
            yield f"the inputs '{other}' and '{name}' have the same LocalPath {path}"
