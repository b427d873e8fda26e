"""Constraints on single values: patterns, and the limits of the SageMaker API."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from helpers.spark.images import PYTHON_VERSION, spark_versions
from ml_pipeline.params.api_limits import limits

S3_URI = re.compile(r"(?P<scheme>s3a?)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_./=+@:!'()-]+")
DURATION = re.compile(r"P(?=[\dT])(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?")
_KMS_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/"
    r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


def api(*shapes: str) -> AfterValidator:
    """Return a validator for strings that must be values of shapes of the SageMaker API."""

    def check(text: str) -> str:
        for shape in shapes:
            if problem := limits(shape).problem(text):
                raise ValueError(f"{problem} ({shape} of the SageMaker API)")
        return text

    return AfterValidator(check)


def matching(pattern: re.Pattern[str], hint: str) -> AfterValidator:
    """Return a validator of strings that match a pattern; the hint shows how to write one."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(hint)
        return text

    return AfterValidator(check)


def s3_uri(*schemes: str, name: str = "") -> AfterValidator:
    """Return a validator of S3 URIs with given schemes and a given suffix of the key."""

    def check(uri: str) -> str:
        found = S3_URI.fullmatch(uri)
        if not found or found["scheme"] not in schemes:
            forms = " or ".join(f"{scheme}://bucket/key" for scheme in schemes)
            raise ValueError(f"write {forms}, without wildcards, spaces and commas")
        if name and not uri.endswith(name):
            raise ValueError(f"it must end with {name}")
        return uri

    return AfterValidator(check)


def between(shape: str) -> Any:
    """Return the limits of a number of the SageMaker API."""
    return Field(ge=limits(shape).minimum, le=limits(shape).maximum)


def distinct(least: int, shape: str, why: str) -> AfterValidator:
    """Return a validator of lists of distinct values, with a minimum length and the API's maximum."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < least:
            raise ValueError(f"name at least {least} {'different ones' if least > 1 else 'of them'}: {why}")
        if len(set(values)) < len(values):
            raise ValueError("one is named twice; name each once")
        if len(values) > limits(shape).maximum:
            raise ValueError(f"there are {len(values)}, the API takes {limits(shape).maximum}")
        return values

    return AfterValidator(check)


def checked(check: Callable[[str], str | None]) -> AfterValidator:
    """Return a validator that raises the problem that a function returns."""

    def validate(text: str) -> str:
        if problem := check(text):
            raise ValueError(problem)
        return text

    return AfterValidator(validate)


def _instance_type(shape: str, use: str) -> AfterValidator:
    """Return a validator of the instance types that SageMaker offers for a kind of job."""

    def problem(text: str) -> str | None:
        if text in limits(shape).values:
            return None
        return f"SageMaker has no such instance type for {use}; write one as ml.m5.xlarge"

    return checked(problem)


def _framework_problem(text: str) -> str | None:
    if text in spark_versions():
        return None
    return f"SageMaker has no Spark image of it for {PYTHON_VERSION}; use {' or '.join(spark_versions())}"


def _event_log_problem(text: str) -> str | None:
    if text.count("{}") == 1 and not set("{}") & set(text.replace("{}", "")):
        return None
    return "write {} once, and no other braces: the trial takes its place"


Subnet = Annotated[
    str,
    matching(
        re.compile(r"subnet-([0-9a-f]{17}|[0-9a-f]{8})"), "write a subnet id as subnet-0123456789abcdef0"
    ),
]
SecurityGroup = Annotated[
    str,
    matching(
        re.compile(r"sg-([0-9a-f]{17}|[0-9a-f]{8})"), "write a security group id as sg-0123456789abcdef0"
    ),
]
KmsKey = Annotated[
    str,
    matching(_KMS_KEY, "write the ARN of a KMS key as arn:aws:kms:REGION:ACCOUNT:key/UUID, not an alias"),
]
ArchiveUri = Annotated[str, s3_uri("s3", name=".zip"), api("S3Uri", "ContainerArgument")]
PythonUri = Annotated[str, s3_uri("s3", name=".py"), api("S3Uri", "ContainerArgument")]
# Spark in the image reads s3:// and s3a:// with the same connector.
DataUri = Annotated[str, s3_uri("s3a", "s3"), api("ContainerArgument")]


InstanceType = Annotated[str, _instance_type("ProcessingInstanceType", "processing")]
TrainingInstanceType = Annotated[str, _instance_type("TrainingInstanceType", "training")]
TransformInstanceType = Annotated[str, _instance_type("TransformInstanceType", "batch transform")]
FrameworkVersion = Annotated[str, checked(_framework_problem)]
EventLogPattern = Annotated[str, checked(_event_log_problem)]
