"""The section of a training step in a parameter file."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from helpers.algorithm_images import algorithm_versions
from ml_pipeline.params.constraints import KmsKey, TrainingInstanceType, api, between, checked, s3_uri
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.step_values import Duration, Reference, StepModel, StepResult, TextOrNumber

_MOST_HYPERPARAMETERS = 100


def _version_problem(text: str) -> str | None:
    if text in algorithm_versions():
        return None
    return f"SageMaker has no image of it; use one of {', '.join(algorithm_versions())}"


AlgorithmVersion = Annotated[str, checked(_version_problem)]


class Channel(StepResult):
    """An input of a training job: a folder that a Spark step of the pipeline writes."""

    content_type: Annotated[str, api("ContentType")] = "text/csv"


class TrainingStepParams(StepModel):
    """The section of a step that trains with a built-in algorithm."""

    type: Literal["Training"]
    algorithm: Literal["xgboost"]
    """The built-in algorithm."""
    version: AlgorithmVersion
    """Version of the image of the algorithm, for example `3.2-0`."""
    role: Annotated[str, api("RoleArn")]
    """Role of the training job, the output `TrainingJobRoleArn`."""
    channels: Annotated[dict[Annotated[str, api("ChannelName")], Channel], Field(min_length=1, max_length=20)]
    """By name: an output of a Spark step (`step`, `output`, `dataset`), and its `content_type`."""
    hyperparameters: Annotated[
        dict[Annotated[str, api("HyperParameterKey")], TextOrNumber],
        Field(max_length=_MOST_HYPERPARAMETERS),
    ] = Field(default_factory=dict)
    """Hyperparameters of the algorithm, by name."""
    output: Annotated[str, s3_uri("s3"), api("S3Uri")]
    """The folder of the model artifacts; each job has a folder below it."""
    output_kms: KmsKey
    """KMS key of the artifacts: that of the bucket."""
    instance_type: TrainingInstanceType
    instance_count: Annotated[int, Field(ge=1)] = 1
    volume_size_gb: Annotated[int, between("VolumeSizeInGB")] = 30
    max_runtime_seconds: Annotated[int, Field(ge=1, le=28 * 24 * 3600)] = 3600
    retry_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    cache_expires_after: Duration = "P30D"

    def references(self) -> Iterator[Reference]:
        """Yield the steps whose results it reads."""
        for name, channel in self.channels.items():
            yield from channel.references("channels", name, types=frozenset({SPARK}))
