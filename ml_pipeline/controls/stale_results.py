"""Finds cached steps whose results may be stale, because an input can change without changing the cache key.

The cache key of a processing step consists of its AppSpecification, environment and inputs. The key of a
training step includes its AlgorithmSpecification, environment, hyperparameters and channels. The content of
S3 objects is not part of a key (SageMaker Developer Guide, "Caching pipeline steps"). Therefore:

- For data from outside the pipeline, the key must contain a fingerprint, which is passed when an execution is
  started.
- For data that another step writes, the key must contain a value that changes with each run of that step.

Every option of the job is considered an input, unless the environment variable OUTPUTS lists it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from helpers.s3 import overlap
from ml_pipeline.controls.rules import Violation, is_expression, references
from ml_pipeline.steps.cache import OUTPUTS_VARIABLE, fingerprint_variable

_S3 = re.compile(r"s3a?://(.+)")
_CODE_INPUTS = frozenset({"code", "conf", "files", "jars", "packages", "py-files"})
"""Names of inputs with code, configuration and packages. Their URIs contain a hash of the content."""
_KEY_PARTS: Mapping[str, Sequence[str]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": ("AlgorithmSpecification", "Environment", "HyperParameters", "InputDataConfig"),
}
"""Members of the request that are part of the cache key and can identify data, by step type."""
_WRITERS = ("S3OutputPath", "S3OutputLocation")
"""Keys of output locations in the requests of jobs other than processing jobs."""
_OF_EACH_RUN = ("JobName", "JobArn", "CreationTime", "S3ModelArtifacts")
"""Suffixes of properties that change with each run of a job."""


class _Place(NamedTuple):
    """A possible S3 location in a step."""

    path: str
    name: str
    """The option, input or variable with this value, or an empty string."""
    value: Any
    """A text or an expression."""

    @property
    def location(self) -> str:
        """The known part of bucket and key before an execution; empty for other values."""
        value = self.value
        if isinstance(value, dict) and isinstance(join := value.get("Std:Join"), dict):
            on, parts = join.get("On", ""), join.get("Values", [])
            known = [part for part in parts[:1] if isinstance(part, str)]
            value = f"{known[0]}{on}" if known else ""
        found = _S3.fullmatch(value) if isinstance(value, str) else None
        return found[1].rstrip("/") if found else ""

    @property
    def names_a_run(self) -> bool:
        """Whether the location changes with each run of a step."""
        return any(
            found.startswith("Steps.") and found.endswith(_OF_EACH_RUN) for found in references(self.value)
        )


def stale_violations(step: Any, path: str, others: Sequence[Any]) -> Iterator[Violation]:
    """Yield the inputs of a cached processing or training step whose content does not affect its cache key.

    Args:
        step: a step of a definition.
        path: the JSON path of the step.
        others: the other steps of the definition.
    """
    key_parts = _KEY_PARTS.get(str(_object(step).get("Type")))
    if key_parts is None or not _is_cached(step):
        return
    arguments = _object(step.get("Arguments"))
    in_key = references([arguments.get(part) for part in key_parts])
    if any(found.startswith("Execution.") for found in in_key):
        return  # no other execution has this key
    read = {part: arguments[part] for part in key_parts if part in arguments}
    for place in _reads(read, f"{path}.Arguments"):
        writer = next((each for each in others if _reads_result_of(place, each)), None)
        if writer is not None:
            if not _knows_run(in_key, writer, place, others):
                yield _stale_result(place, writer)
        elif place.location and not place.names_a_run and ".Environment." not in place.path:
            yield from _missing_fingerprint(place, _object(arguments.get("Environment")))


def _is_cached(step: Mapping[str, Any]) -> bool:
    return _object(step.get("CacheConfig")).get("Enabled") is True


def _reads(arguments: Mapping[str, Any], path: str) -> Iterator[_Place]:
    """Yield the possible inputs of a job, among the members in its cache key."""
    outputs = _outputs(arguments)
    for place in _options(arguments, path):
        if place.name not in outputs:
            yield place
    for index, given in enumerate(_list(arguments.get("ProcessingInputs"))):
        name = str(_object(given).get("InputName", ""))
        uri = _object(_object(given).get("S3Input")).get("S3Uri")
        if name not in _CODE_INPUTS and uri is not None:
            yield _Place(f"{path}.ProcessingInputs[{index}].S3Input.S3Uri", name, uri)
    for index, channel in enumerate(_list(arguments.get("InputDataConfig"))):
        source = _object(_object(_object(channel).get("DataSource")).get("S3DataSource"))
        where = f"{path}.InputDataConfig[{index}].DataSource.S3DataSource.S3Uri"
        yield _Place(where, str(_object(channel).get("ChannelName", "")), source.get("S3Uri"))
    written = {place.location for place in _options(arguments, path) if place.name in outputs}
    for name, value in _object(arguments.get("Environment")).items():
        variable = _Place(f"{path}.Environment.{name}", name, value)
        if variable.location not in written:
            yield variable


def _options(arguments: Mapping[str, Any], path: str) -> Iterator[_Place]:
    """Yield the values on the container's command line, with the names of their options."""
    words = _list(_object(arguments.get("AppSpecification")).get("ContainerArguments"))
    for index, (option, word) in enumerate(pairwise(["", *words])):
        place = f"{path}.AppSpecification.ContainerArguments[{index}]"
        if isinstance(word, str) and word.startswith("--"):
            name, _, value = word.removeprefix("--").partition("=")
            yield _Place(place, name, value)
        else:
            named = isinstance(option, str) and option.startswith("--") and "=" not in option
            yield _Place(place, option.removeprefix("--") if named else "", word)


def _outputs(arguments: Mapping[str, Any]) -> set[str]:
    """Return the names of the options that are outputs of a job."""
    names = _object(arguments.get("Environment")).get(OUTPUTS_VARIABLE)
    return set(names.split(",")) - {""} if isinstance(names, str) else set()


def _writes(step: Mapping[str, Any]) -> Iterator[str]:
    """Yield the locations that a step writes to."""
    arguments = _object(step.get("Arguments"))
    outputs = _outputs(arguments)
    values = [place.value for place in _options(arguments, "") if place.name in outputs]
    values += [value for _, value in _processing_outputs(arguments)]
    values += [value for key, value in _members(arguments) if key in _WRITERS]
    yield from filter(None, (_Place("", "", value).location for value in values))


def _processing_outputs(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for output in _list(_object(arguments.get("ProcessingOutputConfig")).get("Outputs")):
        yield (
            str(_object(output).get("OutputName", "")),
            _object(_object(output).get("S3Output")).get("S3Uri"),
        )


def _reads_result_of(place: _Place, other: Any) -> bool:
    """Return whether a place overlaps with an output of another step, or refers to one of its outputs."""
    if not isinstance(other, dict) or not isinstance(other.get("Name"), str):
        return False
    if any(
        found.startswith(f"Steps.{other['Name']}.") and ("S3Uri" in found or "S3Output" in found)
        for found in references(place.value)
    ):
        return True
    location = place.location
    return bool(location) and any(overlap(location, written) for written in _writes(other))


def _knows_run(in_key: Sequence[str], writer: Mapping[str, Any], place: _Place, steps: Sequence[Any]) -> bool:
    """Return whether a cache key changes with each run of the step that writes an input."""
    if _names_run_of(writer["Name"], in_key):
        return True
    if writer.get("Type") == "Transform":
        return _changes_with_origins(writer, steps)
    # An execution inserts the URI of a referenced output. It changes if it contains the execution.
    read = [found for found in references(place.value) if found.startswith(f"Steps.{writer['Name']}.")]
    outputs = dict(_processing_outputs(_object(writer.get("Arguments"))))
    named = [uri for name, uri in outputs.items() if any(f"'{name}'" in found for found in read)]
    return bool(named) and all(
        any(found.startswith("Execution.") for found in references(uri)) for uri in named
    )


def _changes_with_origins(transform: Mapping[str, Any], steps: Sequence[Any]) -> bool:
    """Return whether the output location of a transform changes with its data and its model.

    A location that changes with each execution is also correct, because SageMaker does not cache transforms.
    """
    arguments = _object(transform.get("Arguments"))
    named = references(_object(arguments.get("TransformOutput")).get("S3OutputPath"))
    if any(found.startswith("Execution.") for found in named):
        return True
    model = next(iter(references(arguments.get("ModelName"))), "").split(".")
    created = next((step for step in steps if [str(_object(step).get("Name"))] == model[1:2]), None)
    if created is None:
        return False
    made_of = [*references(arguments.get("TransformInput")), *references(_object(created.get("Arguments")))]
    return bool(made_of) and all(
        origin in named or (origin.startswith("Steps.") and _names_run_of(origin.split(".")[1], named))
        for origin in made_of
    )


def _names_run_of(step: str, named: Sequence[str]) -> bool:
    return any(found.startswith(f"Steps.{step}.") and found.endswith(_OF_EACH_RUN) for found in named)


def _stale_result(place: _Place, writer: Mapping[str, Any]) -> Violation:
    name = writer["Name"]
    fix = (
        f"add the names of the jobs that wrote the input and model of step {name} to its S3OutputPath"
        if writer.get("Type") == "Transform"
        else f'add {{"Get": "Steps.{name}.ProcessingJobName"}} to the location, as in inputs with `step`'
    )
    return Violation(
        place.path,
        f"the step is cached, and its cache key does not change when step {name} writes its input again",
        f"{fix}, or turn off the cache of the step",
    )


def _missing_fingerprint(place: _Place, environment: Mapping[str, Any]) -> Iterator[Violation]:
    variable = fingerprint_variable(place.name.replace("-", "_")) if place.name else ""
    given = environment.get(variable)
    if is_expression(given) and any(found.startswith("Parameters.") for found in references(given)):
        return
    data = f"s3://{place.location}"
    problem = f"the step is cached, and its cache key does not change when the data at {data} changes"
    if not variable:
        yield Violation(
            place.path,
            problem,
            "pass the location as the value of an option, with a fingerprint, or turn off the cache of the "
            "step",
        )
        return
    yield Violation(
        place.path,
        problem,
        f"set the environment variable {variable} to a pipeline parameter with a fingerprint of the data; "
        f"or, if the step writes there, add {place.name} to {OUTPUTS_VARIABLE}; or turn off the cache of the "
        "step",
    )


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key and value of nested objects and lists."""
    match value:
        case dict():
            for key, item in value.items():
                yield key, item
                yield from _members(item)
        case list():
            for item in value:
                yield from _members(item)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
