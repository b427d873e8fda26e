"""The section of a Spark step in a parameter file, and the parts of a Spark step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from helpers.spark.packages.coordinates import COORDINATE, COORDINATE_HINT
from ml_pipeline.params.constraints import DataUri, InstanceType, between, matching, s3_uri
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.spark_code import CONFIGURATION, DEFAULT_HELPERS, HASH_DIGITS
from ml_pipeline.params.step_values import (
    Argument,
    Duration,
    Name,
    ParameterValue,
    Reference,
    StepInput,
    StepModel,
)

PythonFile = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z_]\w*\.py"),
        "name a Python file of spark_jobs/ without a folder, as join_rates.py",
    ),
]
HelperFile = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z_]\w*\.(py|zip)"),
        "name a Python file of spark_jobs/, as data_utils.py, or a package in it, as etl.zip",
    ),
]
ConfigurationFile = Annotated[
    str, matching(re.compile(r"[\w-]+\.json"), "name a JSON file of spark_jobs/, as configuration.json")
]
RequirementsFile = Annotated[
    str,
    matching(
        re.compile(r"[\w-]+\.in"),
        "name a file of spark_jobs/ that lists packages, as requirements-rates.in",
    ),
]
PackageFolder = Annotated[
    str,
    s3_uri("s3"),
    matching(
        re.compile(rf".*/[0-9a-f]{{{HASH_DIGITS}}}"),
        "end it with /${PackageHash}: other packages must lie in another folder",
    ),
]
Coordinate = Annotated[str, matching(COORDINATE, COORDINATE_HINT)]


class SparkStepParams(StepModel):
    """The section of a Spark step in a parameter file."""

    type: Literal["Processing"] = "Processing"
    code: PythonFile
    helper_files: tuple[HelperFile, ...] = DEFAULT_HELPERS
    configuration: ConfigurationFile = CONFIGURATION
    code_folder: Annotated[str, s3_uri("s3")]
    requirements: RequirementsFile | None = None
    jars: tuple[Coordinate, ...] = ()
    package_folder: PackageFolder | None = None
    inputs: dict[Name, StepInput] = Field(default_factory=dict)
    outputs: Annotated[dict[Name, DataUri], Field(min_length=1)]
    arguments: dict[Name, Argument] = Field(default_factory=dict)
    instance_type: InstanceType
    instance_count: Annotated[int, between("ProcessingInstanceCount")]
    volume_size_gb: Annotated[int, between("ProcessingVolumeSizeInGB")] = 30
    max_runtime_seconds: Annotated[int, between("ProcessingMaxRuntimeInSeconds")] = 3600
    retry_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    cache_expires_after: Duration = "P30D"
    runs_kept_days: Annotated[int, Field(ge=1, le=99999)] | None = None
    """How long its runs are kept at least; a model package refers to files of runs."""


@dataclass(frozen=True)
class SparkStepSpec:
    """A Spark step with all values that its job needs."""

    type: ClassVar[str] = SPARK
    name: str
    app: str
    """The URI of the job's code."""
    py_files: tuple[str, ...]
    configuration: str
    """The URI of its configuration.json."""
    configuration_file: str
    """The file of spark_jobs/ behind it."""
    inputs: Mapping[str, StepInput]
    outputs: Mapping[str, str]
    arguments: Mapping[str, Argument]
    instance_type: str
    instance_count: int
    volume_size_gb: int
    max_runtime_seconds: int
    retry_attempts: int
    cache_expires_after: str
    runs_kept_days: int | None = None
    """How long its runs are kept at least; by default as long as they can be reused."""
    requirements: str | None = None
    """The file of spark_jobs/ with the Python packages of the step."""
    jars: tuple[str, ...] = ()
    """The Maven coordinates of the step's jars."""
    package_folder: str | None = None
    """The URI of the folder in which both are staged; None if the step has neither."""
    files: Mapping[str, str] = field(init=False)
    """The file of spark_jobs/ behind each staged URI."""

    def __post_init__(self) -> None:
        files = {uri: PurePosixPath(uri).name for uri in (self.app, *self.py_files)}
        object.__setattr__(self, "files", {**files, self.configuration: self.configuration_file})

    @property
    def data_inputs(self) -> dict[str, StepInput]:
        """The inputs from outside the pipeline."""
        return {name: given for name, given in self.inputs.items() if given.uri}

    @property
    def parameters(self) -> frozenset[str]:
        """The execution parameters that its arguments refer to."""
        given = self.arguments.values()
        return frozenset(each.parameter for each in given if isinstance(each, ParameterValue))

    def references(self) -> Iterator[Reference]:
        """Yield the steps whose results it reads."""
        for key, given in self.inputs.items():
            if given.result:
                yield from given.result.references("inputs", key)

    @property
    def report_folder(self) -> str:
        """The output that holds the job's report."""
        return next(iter(self.outputs.values()))


def spec_of(name: str, params: SparkStepParams) -> SparkStepSpec:
    """Return the step of a section."""
    folder = params.code_folder.rstrip("/")
    values: dict[str, Any] = {
        key: getattr(params, key)
        for key in SparkStepParams.model_fields
        if key not in {"type", "code", "helper_files", "configuration", "code_folder"}
    }
    return SparkStepSpec(
        name=name,
        app=f"{folder}/{params.code}",
        py_files=tuple(f"{folder}/{file}" for file in params.helper_files),
        configuration=f"{folder}/{CONFIGURATION}",
        configuration_file=params.configuration,
        **values,
    )


def option_names(step: SparkStepSpec) -> Iterator[tuple[str, str]]:
    """Yield each name that becomes an option of the job, with its section."""
    for section in ("inputs", "outputs", "arguments"):
        for name in getattr(step, section):
            yield section, name
