"""The external inputs of a registered pipeline, and the fingerprints of their data.

They are read from the registered definition, which can differ from that of this checkout after a rollback.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.errors import UserError
from helpers.s3 import parse
from ml_pipeline.executions.target import Target
from ml_pipeline.steps.cache import fingerprint_parameter, fingerprint_variable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class InputObject(NamedTuple):
    """An object of an input in a listing."""

    key: str
    size: int
    etag: str


class RegisteredInput(NamedTuple):
    """An external input of a pipeline, as defined."""

    step: str
    name: str
    uri: str
    parameter: str
    """The pipeline parameter for its fingerprint."""


def registered_inputs(definition: Mapping[str, Any]) -> Iterator[RegisteredInput]:
    """Yield the inputs of a definition that have a fingerprint."""
    parameters = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    for step in definition.get("Steps", []):
        arguments = step.get("Arguments", {})
        words = arguments.get("AppSpecification", {}).get("ContainerArguments", [])
        for option, value in pairwise(words):
            if not isinstance(option, str) or not option.startswith("--") or not isinstance(value, str):
                continue
            name = option.removeprefix("--")
            parameter = fingerprint_parameter(step["Name"], name)
            if parameter in parameters and fingerprint_variable(name) in arguments.get("Environment", {}):
                yield RegisteredInput(step["Name"], name, value, parameter)


def fingerprint(objects: Iterable[InputObject]) -> str:
    """Return a hash of names, sizes and ETags, which does not depend on the order of the listing."""
    return hashlib.sha256(json.dumps(sorted(objects)).encode()).hexdigest()


def list_input(s3: "S3Client", uri: str) -> list[InputObject]:
    """Return the objects that Spark reads at a URI: the object with that key, or those in that folder."""
    bucket, key = parse(uri)
    folder = key.rstrip("/") + "/"
    return [
        InputObject(entry["Key"], entry["Size"], entry["ETag"])
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        for entry in page.get("Contents", [])
        if entry["Key"] == key or entry["Key"].startswith(folder)
        if not entry["Key"].endswith("/")  # created by the console for a folder
    ]


def fingerprints(s3: "S3Client", definition: Mapping[str, Any], target: Target) -> dict[str, str]:
    """Return the fingerprint of each input, by its pipeline parameter.

    Raises:
        UserError: an input has no data; the message names all such inputs.
    """
    values, missing = {}, []
    for each in registered_inputs(definition):
        objects = list_input(s3, each.uri)
        if objects:
            values[each.parameter] = fingerprint(objects)
        else:
            missing.append(f"There is no input {each.name} of step {each.step} at {each.uri}")
    if missing:
        raise UserError("\n".join(missing), hint=_how_to_deliver(target))
    return values


def _how_to_deliver(target: Target) -> str:
    if target.environment.settings.sample_data == "never":
        return f"Deliver the input ({target.environment} gets no sample), then run: {target.command('start')}"
    return f"Deliver it, or upload the sample with: {target.command('data')}"
