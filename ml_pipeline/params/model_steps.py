"""The sections of the steps that create a model, score with it, and register it."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ml_pipeline.params.constraints import TransformInstanceType, api, matching, s3_uri
from ml_pipeline.params.execution_parameters import MODEL_PACKAGE_ARN
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.step_values import JsonFile, ParameterValue, Reference, StepModel, StepResult

ContentType = Annotated[str, api("ContentType")]
Group = Annotated[str, api("EntityName")]
Retries = Annotated[int, Field(ge=1, le=20)]
_FILTER = re.compile(r"\$.{0,62}")


def _of_a_package(value: ParameterValue) -> ParameterValue:
    if value.parameter != MODEL_PACKAGE_ARN:
        raise ValueError(f'write {{"parameter": "{MODEL_PACKAGE_ARN}"}}')
    return value


PackageParameter = Annotated[ParameterValue, AfterValidator(_of_a_package)]


class ModelStepParams(StepModel):
    """The section of a step that creates a model: of a training step, or of a model package."""

    type: Literal["Model"]
    training_step: str | None = None
    """The step whose artifacts, image and hyperparameters make the model."""
    model_package: PackageParameter | None = None
    """The package that is the model; `make start` names the active version."""
    role: Annotated[str, api("RoleArn")]
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the training step."""
        if self.training_step:
            yield Reference(("training_step",), self.training_step, frozenset({"Training"}))


class TransformInput(StepResult):
    """What a transform scores: a folder that a Spark step of the pipeline writes."""

    content_type: ContentType = "text/csv"


class TransformStepParams(StepModel):
    """The section of a step that scores records, one a line, with a model of the pipeline."""

    type: Literal["Transform"]
    model_step: str
    input: TransformInput
    output: Annotated[str, s3_uri("s3"), api("S3Uri")]
    """The folder of the predictions; each run has one of its own below."""
    join_input: bool = False
    """Whether each line of the output is the line of the input and its prediction."""
    input_filter: Annotated[str, matching(_FILTER, "write a JSONPath, as $[1:]")] | None = None
    output_filter: Annotated[str, matching(_FILTER, "write a JSONPath, as $[0,-1]")] | None = None
    instance_type: TransformInstanceType
    instance_count: Annotated[int, Field(ge=1)] = 1
    max_payload_mb: Annotated[int, Field(ge=1, le=100)] = 6
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the step of the model, and the step whose result is scored."""
        yield Reference(("model_step",), self.model_step, frozenset({"Model"}))
        yield from self.input.references("input", types=frozenset({SPARK}))


class RegisterModelStepParams(StepModel):
    """The section of a step that registers a model, pending approval."""

    type: Literal["RegisterModel"]
    training_step: str
    model_package_group: Group
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    evaluation: JsonFile
    """The metrics on the test set."""
    statistics: JsonFile
    """Of the training data, in the schema of Model Monitor: the baseline for drift."""
    constraints: JsonFile
    content_type: ContentType = "text/csv"
    transform_instance_types: Annotated[tuple[TransformInstanceType, ...], Field(min_length=1)]
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the training step, and the steps that write its metrics and baselines."""
        yield Reference(("training_step",), self.training_step, frozenset({"Training"}))
        for name in ("evaluation", "statistics", "constraints"):
            yield from getattr(self, name).references(name)
