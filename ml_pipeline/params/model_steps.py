"""The sections of steps that create, use and register a model."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ml_pipeline.params.constraints import TransformInstanceType, api, matching, s3_uri
from ml_pipeline.params.execution_parameters import MODEL_DATA_URL, MODEL_PACKAGE_ARN, SAMPLE_URL
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.step_values import (
    BelowRun,
    JsonFile,
    ParameterValue,
    Reference,
    StepModel,
    StepResult,
)
from ml_pipeline.params.training_step import AlgorithmVersion

ContentType = Annotated[str, api("ContentType")]
Group = Annotated[str, api("EntityName")]
Retries = Annotated[int, Field(ge=1, le=20)]
_FILTER = re.compile(r"\$.{0,62}")


def _of_a_package(value: ParameterValue) -> ParameterValue:
    if value.parameter != MODEL_PACKAGE_ARN:
        raise ValueError(f'write {{"parameter": "{MODEL_PACKAGE_ARN}"}}')
    return value


PackageParameter = Annotated[ParameterValue, AfterValidator(_of_a_package)]


def _artifact_parameter(name: str) -> str:
    if name != MODEL_DATA_URL:
        raise ValueError(f'write "{MODEL_DATA_URL}"')
    return name


class VersionArtifact(StepModel):
    """The artifact of a version that does not have to be approved, and the algorithm that serves it.

    SageMaker creates models only from approved packages.
    """

    parameter: Annotated[str, AfterValidator(_artifact_parameter)]
    """`ModelDataUrl`."""
    algorithm: Literal["xgboost"]
    version: AlgorithmVersion
    """Version of its image; the pipeline does not start for a version of the model with another image."""


class ModelStepParams(StepModel):
    """The section of a step that creates a model from a training step, a model package or an artifact."""

    type: Literal["Model"]
    training_step: str | None = None
    """The training step whose artifact, image and hyperparameters make the model."""
    model_package: PackageParameter | None = None
    """The model package; `make start` passes the active version."""
    artifact: VersionArtifact | None = None
    """The artifact of a version whose sample is scored before it is approved."""
    role: Annotated[str, api("RoleArn")]
    """Role of the model: reads the artifact, from the output `TransformJobRoleArn`."""
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the training step."""
        if self.training_step:
            yield Reference(("training_step",), self.training_step, frozenset({"Training"}))


def _sample_parameter(name: str) -> str:
    if name != SAMPLE_URL:
        raise ValueError(f'write "{SAMPLE_URL}"')
    return name


class TransformInput(StepModel):
    """The input of a transform: a folder that a Spark step writes, or the sample of a version."""

    step: str | None = None
    """The Spark step."""
    output: str | None = None
    """The output of that step."""
    dataset: BelowRun | None = None
    """The folder below each run of that output; by default the whole run."""
    parameter: Annotated[str, AfterValidator(_sample_parameter)] | None = None
    """In place of a step: `SampleUrl`, the sample of the version."""
    content_type: ContentType = "text/csv"

    @property
    def result(self) -> StepResult | None:
        """The result of a step, if the input is one."""
        return StepResult(step=self.step, output=self.output, dataset=self.dataset) if self.step else None


class TransformStepParams(StepModel):
    """The section of a step that scores records, one per line, with a model of the pipeline."""

    type: Literal["Transform"]
    model_step: str
    """The step that creates the model."""
    input: TransformInput
    """The folder to score: an output of a Spark step (`step`, `output`, `dataset`). Or the sample of the
    version (`parameter`)."""
    output: Annotated[str, s3_uri("s3"), api("S3Uri")]
    """The folder of the predictions; each run has a folder below it."""
    join_input: bool = False
    """Whether each line of the output contains the line of the input, followed by the prediction."""
    input_filter: Annotated[str, matching(_FILTER, "write a JSONPath, as $[1:]")] | None = None
    """JSONPath that selects the columns to send to the model."""
    output_filter: Annotated[str, matching(_FILTER, "write a JSONPath, as $[0,-1]")] | None = None
    """JSONPath that selects the columns to write."""
    instance_type: TransformInstanceType
    instance_count: Annotated[int, Field(ge=1)] = 1
    max_payload_mb: Annotated[int, Field(ge=1, le=100)] = 6
    """Maximum size of a request to the model, in MB."""
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the step of the model, and the step whose result is scored."""
        yield Reference(("model_step",), self.model_step, frozenset({"Model"}))
        if self.input.result:
            yield from self.input.result.references("input", types=frozenset({SPARK}))


Passage = Annotated[str, Field(min_length=1, max_length=2048)]


class ModelCardParams(StepModel):
    """The part of a version's model card that people write; its keys are those of AWS's schema."""

    evaluation: JsonFile
    """JSON file with `evaluation_details`, that part of the card as JSON in a string."""
    purpose_of_model: Passage
    intended_uses: Passage
    factors_affecting_model_efficiency: Passage | None = None
    risk_rating: Literal["High", "Medium", "Low", "Unknown"] = "Unknown"
    explanations_for_risk_rating: Passage | None = None
    ethical_considerations: Passage | None = None
    caveats_and_recommendations: Passage | None = None


class RegisterModelStepParams(StepModel):
    """The section of a step that registers a model, pending approval."""

    type: Literal["RegisterModel"]
    training_step: str
    """The training step whose artifact is registered."""
    model_package_group: Group
    """The group: the output `ModelPackageGroupName` of the stack `models`."""
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    """Description of the version."""
    evaluation: JsonFile
    """JSON file with the metrics on the test set (`step`, `output`, `file`)."""
    statistics: JsonFile
    """JSON file with statistics of the training data in the schema of Model Monitor: the drift baseline."""
    constraints: JsonFile
    """JSON file with the constraints of the training data in the schema of Model Monitor."""
    card: ModelCardParams | None = None
    """Model card: `purpose_of_model`, `intended_uses` and other keys of AWS's schema, and `evaluation`."""
    content_type: ContentType = "text/csv"
    """Content type of requests to the model."""
    transform_instance_types: Annotated[tuple[TransformInstanceType, ...], Field(min_length=1)]
    """Instance types that transforms with the model can use."""
    retry_attempts: Retries = 3

    def references(self) -> Iterator[Reference]:
        """Yield the training step, and the steps that write its metrics and baselines."""
        yield Reference(("training_step",), self.training_step, frozenset({"Training"}))
        for name in ("evaluation", "statistics", "constraints"):
            yield from getattr(self, name).references(name)
        if self.card:
            yield from self.card.evaluation.references("card", "evaluation")
