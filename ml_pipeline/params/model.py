"""What the parameters are: their types, their limits, and what may not go together."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from helpers.errors import UserError
from helpers.infra.tags.tags import get_tags_input
from helpers.spark.images import PYTHON_VERSION, spark_versions
from ml_pipeline.params.api_limits import limits

_S3_URI = re.compile(r"(?P<scheme>s3a?)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_./=+@:!'()-]+")
_ISO_DURATION = re.compile(r"P(?=[\dT])(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?")
_KMS_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/"
    r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
ISOLATION_EXPLAINED = (
    "the job reads and writes S3 itself, and network isolation leaves its container without network and "
    "credentials; use false: the VPC without a route to the internet, its endpoint policies and encrypted "
    "traffic protect the job"
)


def _api(*shapes: str) -> AfterValidator:
    """Return a validator for strings that must be values of shapes of the SageMaker API."""

    def check(text: str) -> str:
        for shape in shapes:
            if problem := limits(shape).problem(text):
                raise ValueError(f"{problem} ({shape} of the SageMaker API)")
        return text

    return AfterValidator(check)


def _matching(pattern: re.Pattern[str], mend: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(mend)
        return text

    return AfterValidator(check)


def _s3_uri(*schemes: str, name: str = "") -> AfterValidator:
    def check(uri: str) -> str:
        found = _S3_URI.fullmatch(uri)
        if not found or found["scheme"] not in schemes:
            forms = " or ".join(f"{scheme}://bucket/key" for scheme in schemes)
            raise ValueError(f"write {forms}, without wildcards, spaces and commas")
        if name and not uri.endswith(name):
            raise ValueError(f"it must end with {name}")
        return uri

    return AfterValidator(check)


def _between(shape: str) -> Any:
    return Field(ge=limits(shape).minimum, le=limits(shape).maximum)


def _distinct(least: int, shape: str, why: str) -> AfterValidator:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < least:
            raise ValueError(f"name at least {least} {'different ones' if least > 1 else 'of them'}: {why}")
        if len(set(values)) < len(values):
            raise ValueError("one is named twice; name each once")
        if len(values) > limits(shape).maximum:
            raise ValueError(f"there are {len(values)}, the API takes {limits(shape).maximum}")
        return values

    return AfterValidator(check)


def _checked(check: Callable[[str], str | None]) -> AfterValidator:
    def validate(text: str) -> str:
        if problem := check(text):
            raise ValueError(problem)
        return text

    return AfterValidator(validate)


def _instance_type_problem(text: str) -> str | None:
    if text in limits("ProcessingInstanceType").values:
        return None
    return "SageMaker has no such instance type for processing; write one as ml.m5.xlarge"


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
    _matching(
        re.compile(r"subnet-([0-9a-f]{17}|[0-9a-f]{8})"), "write a subnet id as subnet-0123456789abcdef0"
    ),
]
SecurityGroup = Annotated[
    str,
    _matching(
        re.compile(r"sg-([0-9a-f]{17}|[0-9a-f]{8})"), "write a security group id as sg-0123456789abcdef0"
    ),
]
KmsKey = Annotated[
    str,
    _matching(_KMS_KEY, "write the ARN of a KMS key as arn:aws:kms:REGION:ACCOUNT:key/UUID, not an alias"),
]
PythonFile = Annotated[str, _s3_uri("s3", name=".py"), _api("S3Uri", "ContainerArgument")]
# Spark in the image reads s3:// and s3a:// with the same connector.
DataUri = Annotated[str, _s3_uri("s3a", "s3"), _api("ContainerArgument")]


class PipelineParams(BaseModel):
    """The parameters of the pipeline. Keys without a default are those of pipeline_params.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    pipeline_name: Annotated[str, _api("PipelineName", "ExperimentEntityName")]
    """Also the name of the experiment, for which the API takes fewer characters."""
    trial: Annotated[str, _api("ExperimentEntityName")]
    pipeline_role: Annotated[str, _api("RoleArn")]
    network_subnet_ids: Annotated[
        tuple[Subnet, ...], _distinct(2, "Subnets", "a job must find capacity when one zone has none")
    ]
    network_security_group_ids: Annotated[
        tuple[SecurityGroup, ...], _distinct(1, "VpcSecurityGroupIds", "a job in a VPC needs one")
    ]
    pyspark_process_volume_kms: KmsKey
    pyspark_process_output_kms: KmsKey
    pyspark_helper_code: PythonFile
    spark_config_file: Annotated[str, _s3_uri("s3", name="/configuration.json"), _api("S3Uri")]
    """The container looks for this name."""
    pyspark_process_code: PythonFile
    process_spark_ui_log_output: Annotated[str, _checked(_event_log_problem)]
    pyspark_framework_version: Annotated[str, _checked(_framework_problem)]
    pyspark_process_name: Annotated[str, Field(min_length=1), _api("StepName")]
    pyspark_process_data_input: DataUri
    pyspark_process_data_output: DataUri
    pyspark_process_instance_type: Annotated[str, _checked(_instance_type_problem)]
    pyspark_process_instance_count: Annotated[int, _between("ProcessingInstanceCount")]
    tags: dict[str, str]

    pyspark_process_role: Annotated[str, _api("RoleArn")] | None = None
    """The role that jobs run with; without one, that of the pipeline."""
    pyspark_process_volume_size_gb: Annotated[int, _between("ProcessingVolumeSizeInGB")] = 30
    pyspark_process_max_runtime_seconds: Annotated[int, _between("ProcessingMaxRuntimeInSeconds")] = 3600
    pyspark_process_max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of rows that may be quarantined before the job fails."""
    pyspark_process_cache_expires_after: Annotated[
        str, _matching(_ISO_DURATION, "write an ISO 8601 duration as P30D or PT12H")
    ] = "P30D"
    pyspark_process_retry_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    enable_network_isolation: bool = False

    def __getitem__(self, key: str) -> Any:
        """Return a value by its key in the file."""
        if key not in type(self).model_fields:
            raise KeyError(key)
        return getattr(self, key)

    @property
    def region(self) -> str:
        """The region of the jobs, which is that of their keys."""
        return self.pyspark_process_volume_kms.split(":")[3]

    @field_validator("process_spark_ui_log_output")
    @classmethod
    def _check_event_log_uri(cls, pattern: str, info: ValidationInfo) -> str:
        uri = pattern.replace("{}", info.data.get("trial", "trial"))
        found = _S3_URI.fullmatch(uri)
        if not found or found["scheme"] != "s3":
            raise ValueError("write s3://bucket/key with {} in the key")
        return pattern

    @field_validator("pyspark_process_output_kms")
    @classmethod
    def _check_one_region(cls, key: str, info: ValidationInfo) -> str:
        other = info.data.get("pyspark_process_volume_kms", key)
        if other.split(":")[3] != key.split(":")[3]:
            raise ValueError(f"the volume's key lies in {other.split(':')[3]}; use two keys of one region")
        return key

    @field_validator("pyspark_process_data_output")
    @classmethod
    def _check_output_spares_input(cls, output: str, info: ValidationInfo) -> str:
        source = info.data.get("pyspark_process_data_input", "")
        inside, outside = (uri.split("://")[-1].rstrip("/") + "/" for uri in (source, output))
        if source and (inside.startswith(outside) or outside.startswith(inside)):
            raise ValueError(
                f"it overlaps the input {source}, which the job would overwrite; use another folder"
            )
        return output

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, tags: dict[str, str]) -> dict[str, str]:
        try:
            get_tags_input(tags)
        except UserError as error:
            raise ValueError(str(error)) from error
        return tags

    @field_validator("enable_network_isolation")
    @classmethod
    def _check_isolation(cls, isolated: bool, info: ValidationInfo) -> bool:
        data = [info.data.get(f"pyspark_process_data_{end}", "") for end in ("input", "output")]
        if isolated and any(uri.startswith(("s3a://", "s3://")) for uri in data):
            raise ValueError(ISOLATION_EXPLAINED)
        return isolated
