"""Reads the steps of a pipeline definition: their dependencies, images, code and packages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.s3 import join, parse
from helpers.spark.packages.bundle import read_manifest
from helpers.spark.packages.layout import JARS, MANIFEST

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PACKAGES = "packages"
"""Name of the input with the packages and jars of a step."""
_BRANCHES = ("IfSteps", "ElseSteps")
"""Arguments of a condition step that contain steps."""


@dataclass(frozen=True)
class DefinedStep:
    """A step of a definition. `missing` lists what cannot be read, with reasons."""

    after: tuple[str, ...] = ()
    image: str = ""
    code: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def defined_steps(s3: "S3Client", definition: Mapping[str, Any]) -> dict[str, DefinedStep]:
    """Return the steps of a definition by name, in the order of the definition."""
    after = dependencies(definition)
    steps = (step for step, _ in _nested(definition.get("Steps", [])))
    return {step["Name"]: _defined(s3, step, after[step["Name"]]) for step in steps}


def _defined(s3: "S3Client", step: Mapping[str, Any], after: tuple[str, ...]) -> DefinedStep:
    arguments = step.get("Arguments", {})
    uris = {
        each["InputName"]: uri
        for each in arguments.get("ProcessingInputs", [])
        if isinstance(uri := each.get("S3Input", {}).get("S3Uri"), str)
    }
    image = _image(arguments)
    packages: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    folder = uris.pop(_PACKAGES, "")
    if folder:
        try:
            packages = _packages(s3, folder)
        except ClientError as error:
            missing = (f"The packages cannot be read at {folder}: {error.response['Error']['Code']}.",)
    return DefinedStep(after, image, tuple(uris.values()), packages, missing)


def _image(arguments: Mapping[str, Any]) -> str:
    """Return the image of a job or a model, or an empty string if it is not in the definition."""
    containers = arguments.get("InferenceSpecification", {}).get("Containers", [{}])
    named = (
        arguments.get("AppSpecification", {}).get("ImageUri"),
        arguments.get("AlgorithmSpecification", {}).get("TrainingImage"),
        arguments.get("PrimaryContainer", {}).get("Image"),
        containers[0].get("Image"),
    )
    return next((image for image in named if isinstance(image, str)), "")


def _packages(s3: "S3Client", folder: str) -> tuple[str, ...]:
    uri = parse(join(folder, MANIFEST))
    manifest = read_manifest(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    jars = (name.removeprefix(f"{JARS}/") for name in manifest.files if name.startswith(f"{JARS}/"))
    return (*manifest.requirements, *jars)


def dependencies(definition: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of the steps that each step depends on, in the order of the definition.

    A step depends on the steps in its `DependsOn`, on the steps whose properties it refers to, and on the
    condition whose branch contains it.
    """
    steps = list(_nested(definition.get("Steps", [])))
    names = [step["Name"] for step, _ in steps]
    return {
        step["Name"]: tuple(name for name in names if name in {*_named(step), *_read(step), *condition})
        for step, condition in steps
    }


def _nested(
    steps: Iterable[Mapping[str, Any]], condition: tuple[str, ...] = ()
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Yield all steps, including those in branches, each with the condition whose branch contains it."""
    for step in steps:
        yield step, condition
        for branch in _BRANCHES:
            yield from _nested(step.get("Arguments", {}).get(branch, []), (step["Name"],))


def _named(step: Mapping[str, Any]) -> Iterator[str]:
    for name in step.get("DependsOn", []):
        yield name.removeprefix("Steps.").partition(".")[0]


def _read(value: Any) -> Iterator[str]:
    """Yield the steps in references, as {"Get": "Steps.clean.ProcessingJobName"} or {"Std:JsonGet": …}."""
    match value:
        case {"Get": str(path)} if path.startswith("Steps."):
            yield path.removeprefix("Steps.").partition(".")[0]
        case dict():
            for key, item in value.items():
                if key not in _BRANCHES:
                    yield from _read(item)
        case list():
            for item in value:
                yield from _read(item)
        case _:
            return
