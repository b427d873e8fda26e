"""The parameters of a pipeline: the keys that all pipelines share, and those of the first one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from helpers.errors import UserError
from helpers.infra.tags.tags import get_tags_input
from helpers.s3 import parse
from ml_pipeline.params.constraints import (
    DURATION,
    S3_URI,
    ArchiveUri,
    DataUri,
    EventLogPattern,
    FrameworkVersion,
    InstanceType,
    KmsKey,
    PythonUri,
    SecurityGroup,
    Subnet,
    api,
    between,
    distinct,
    matching,
    s3_uri,
)
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.model_steps import ModelStepParams, TransformStepParams
from ml_pipeline.params.sections import OtherSection, Section
from ml_pipeline.params.spark_step import (
    Coordinate,
    PackageFolder,
    RequirementsFile,
    SparkStepParams,
    SparkStepSpec,
    spec_of,
)
from ml_pipeline.params.step_values import StepInput, StepModel, StepName
from ml_pipeline.params.training_step import TrainingStepParams

MAX_JOB_PREFIX = 37
"""Characters of a job's name, of 63, before `-<execution>-<token>-<failures>`, which SageMaker appends.

https://github.com/aws/sagemaker-python-sdk/pull/3946; a project's and an environment's name just fit.
AWS documents no length of the token: 10 characters are those of names without a prefix.
"""
ISOLATION_EXPLAINED = (
    "the job reads and writes S3 itself, and network isolation leaves its container without network and "
    "credentials; use false: the VPC without a route to the internet, its endpoint policies and encrypted "
    "traffic protect the job"
)


_SectionT = TypeVar("_SectionT", bound=StepModel)


@dataclass(frozen=True)
class JobSize:
    """The instances of a step's job and its time limit."""

    name: str
    instance_type: str
    instance_count: int
    max_runtime_seconds: int | None = None
    """None if the job has no time limit, such as a batch transform."""


class PipelineParams(BaseModel):
    """The keys that all pipelines share, and a section for each step.

    A pipeline's own file requires only `pipeline_name`, `trial` and `steps`; it inherits the other keys from
    pipeline_params.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    pipeline_name: Annotated[str, api("PipelineName", "ExperimentEntityName")]
    """Also the name of the experiment, for which the API accepts fewer characters."""
    job_name_prefix: Annotated[str, api("ProcessingJobName")]
    """Prefix of job names. Policies distinguish the jobs and logs of environments by it."""
    trial: Annotated[str, api("ExperimentEntityName")]
    enabled: bool = True
    """Whether it is executed in the environment; it is registered wherever the others are."""
    pipeline_role: Annotated[str, api("RoleArn")]
    network_subnet_ids: Annotated[
        tuple[Subnet, ...], distinct(2, "Subnets", "a job must find capacity when one zone has none")
    ]
    network_security_group_ids: Annotated[
        tuple[SecurityGroup, ...], distinct(1, "VpcSecurityGroupIds", "a job in a VPC needs one")
    ]
    pyspark_process_volume_kms: KmsKey
    pyspark_process_output_kms: KmsKey
    process_spark_ui_log_output: EventLogPattern
    pyspark_framework_version: FrameworkVersion
    tags: dict[str, str]
    pyspark_process_role: Annotated[str, api("RoleArn")] | None = None
    """The role that jobs run with; by default, that of the pipeline."""
    enable_network_isolation: bool = False
    steps: dict[StepName, Section] = {}

    def __getitem__(self, key: str) -> Any:
        """Return a value by its key in the file."""
        if key not in type(self).model_fields:
            raise KeyError(key)
        return getattr(self, key)

    @property
    def region(self) -> str:
        """The region of the jobs, which is that of their keys."""
        return self.pyspark_process_volume_kms.split(":")[3]

    @property
    def artifact_bucket(self) -> str:
        """The bucket of staged code and of the history."""
        return parse(next(iter(self.spark_steps.values())).app).bucket

    @property
    def job_role(self) -> str:
        """The role that jobs run with."""
        return self.pyspark_process_role or self.pipeline_role

    @property
    def spark_steps(self) -> Mapping[str, SparkStepSpec]:
        """The Spark steps by name."""
        return {
            name: spec_of(name, section)
            for name, section in self.steps.items()
            if isinstance(section, SparkStepParams)
        }

    @property
    def other_steps(self) -> Mapping[str, OtherSection]:
        """The sections of the steps that do not run Spark, by name."""
        return {
            name: section for name, section in self.steps.items() if not isinstance(section, SparkStepParams)
        }

    @property
    def jobs(self) -> tuple["JobSize", ...]:
        """The sizes of the steps' jobs."""
        others = self.other_steps.items()
        return (
            *(
                JobSize(step.name, step.instance_type, step.instance_count, step.max_runtime_seconds)
                for step in self.spark_steps.values()
            ),
            *(
                JobSize(name, section.instance_type, section.instance_count, section.max_runtime_seconds)
                for name, section in others
                if isinstance(section, TrainingStepParams)
            ),
            *(
                JobSize(name, section.instance_type, section.instance_count)
                for name, section in others
                if isinstance(section, TransformStepParams)
            ),
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The folders that the jobs of the steps write to."""
        return (
            *(uri for step in self.spark_steps.values() for uri in step.outputs.values()),
            *(
                section.output
                for section in self.other_steps.values()
                if isinstance(section, TrainingStepParams | TransformStepParams)
            ),
        )

    @property
    def needs_active_model(self) -> bool:
        """Whether an execution needs an approved version of the model."""
        return any(
            isinstance(section, ModelStepParams) and section.model_package
            for section in self.other_steps.values()
        )

    def step_type(self, name: str) -> str:
        """Return the type of a step in SageMaker."""
        return self.other_steps[name].type if name in self.other_steps else SPARK

    def section(self, name: str, kind: type[_SectionT]) -> _SectionT:
        """Return the section of a step.

        Raises:
            UserError: the section has another type.
        """
        section = self.steps.get(name)
        if not isinstance(section, kind):
            raise UserError(
                f"steps.{name} is not a section of type {kind.__name__.removesuffix('StepParams')}",
                hint=f"Change the type of steps.{name}, or the step in the pipeline's module",
            )
        return section

    def job_prefix_of(self, step: str) -> str:
        """Return the prefix of a step's job names: the job prefix, and as much of the step's name as fits."""
        readable = step.replace("_", "-")
        return f"{self.job_name_prefix}-{readable}"[:MAX_JOB_PREFIX].rstrip("-")

    def event_logs_of(self, step: str) -> tuple[str, str]:
        """Return the URI of the parent of the execution's folder, and the path below that folder."""
        return self.process_spark_ui_log_output.format(self.trial).rstrip("/"), step

    @field_validator("process_spark_ui_log_output")
    @classmethod
    def _check_event_log_uri(cls, pattern: str, info: ValidationInfo) -> str:
        uri = pattern.replace("{}", info.data.get("trial", "trial"))
        found = S3_URI.fullmatch(uri)
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

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, tags: dict[str, str]) -> dict[str, str]:
        try:
            get_tags_input(tags)
        except UserError as error:
            raise ValueError(error.message) from error
        return tags

    @field_validator("enable_network_isolation")
    @classmethod
    def _check_isolation(cls, isolated: bool) -> bool:
        if isolated:
            raise ValueError(ISOLATION_EXPLAINED)
        return isolated


class ProcessingParams(PipelineParams):
    """The parameters of the first pipeline, whose Spark step has keys of its own instead of a section."""

    pyspark_helper_code: PythonUri
    pyspark_library_code: ArchiveUri | None = None
    """The packed package of spark_jobs/ that the job also imports."""
    spark_config_file: Annotated[str, s3_uri("s3", name="/configuration.json"), api("S3Uri")]
    """The container looks for this name."""
    pyspark_process_code: PythonUri
    pyspark_process_name: StepName
    pyspark_process_data_input: DataUri
    pyspark_process_data_output: DataUri
    pyspark_process_instance_type: InstanceType
    pyspark_process_instance_count: Annotated[int, between("ProcessingInstanceCount")]
    pyspark_process_volume_size_gb: Annotated[int, between("ProcessingVolumeSizeInGB")] = 30
    pyspark_process_max_runtime_seconds: Annotated[int, between("ProcessingMaxRuntimeInSeconds")] = 3600
    pyspark_process_max_rejected_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of rows that may be quarantined before the job fails."""
    pyspark_process_cache_expires_after: Annotated[
        str, matching(DURATION, "write an ISO 8601 duration as P30D or PT12H")
    ] = "P30D"
    pyspark_process_retry_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    pyspark_process_requirements: RequirementsFile | None = None
    pyspark_process_jars: tuple[Coordinate, ...] = ()
    pyspark_process_package_folder: PackageFolder | None = None
    pyspark_process_sample: str = ""
    """The file or folder in spark_jobs/sample_data/ that `make data` uploads as the input."""

    @property
    def spark_steps(self) -> Mapping[str, SparkStepSpec]:
        """The Spark steps by name, the one of the top-level keys first."""
        first = SparkStepSpec(
            name=self.pyspark_process_name,
            app=self.pyspark_process_code,
            py_files=tuple(filter(None, (self.pyspark_helper_code, self.pyspark_library_code))),
            configuration=self.spark_config_file,
            configuration_file=PurePosixPath(self.spark_config_file).name,
            inputs={
                "input_table": StepInput(
                    uri=self.pyspark_process_data_input, sample=self.pyspark_process_sample or None
                )
            },
            outputs={"output_table": self.pyspark_process_data_output},
            arguments={"max_rejected_fraction": self.pyspark_process_max_rejected_fraction},
            instance_type=self.pyspark_process_instance_type,
            instance_count=self.pyspark_process_instance_count,
            volume_size_gb=self.pyspark_process_volume_size_gb,
            max_runtime_seconds=self.pyspark_process_max_runtime_seconds,
            retry_attempts=self.pyspark_process_retry_attempts,
            cache_expires_after=self.pyspark_process_cache_expires_after,
            requirements=self.pyspark_process_requirements,
            jars=self.pyspark_process_jars,
            package_folder=self.pyspark_process_package_folder,
        )
        return {first.name: first, **super().spark_steps}


def model_of(values: Mapping[str, Any]) -> type[PipelineParams]:
    """Return the model for the first pipeline's values: its step may have a section, like any other."""
    own_step = {"pyspark_process_name", "pyspark_process_code"}
    return ProcessingParams if own_step & values.keys() else PipelineParams
