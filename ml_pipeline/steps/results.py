"""The locations of step results: each run has its own, which steps that read it refer to.

Importing this imports the SDK, which takes seconds.
"""

from typing import TYPE_CHECKING, Any, Protocol

from helpers.s3 import join
from ml_pipeline.params.files import SPARK
from ml_pipeline.steps import sagemaker_sdk as sdk

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams

RUNS = "runs"
"""The subfolder of an output with a folder for each run, named after its job."""


class Result(Protocol):
    """A reference from a section to the result of a step."""

    @property
    def step(self) -> str:
        """The step."""

    @property
    def output(self) -> str | None:
        """One of the outputs of a Spark step."""

    @property
    def dataset(self) -> str | None:
        """The folder or file below its run."""


def location_of(params: "PipelineParams", result: Result) -> Any:
    """Return the location of a result: of the job in this execution, or of the reused one."""
    step, kind = result.step, params.step_type(result.step)
    if kind == SPARK:
        output = params.spark_steps[step].outputs[result.output or ""]
        return _below_run(output, step, *([result.dataset] if result.dataset else []))
    if kind == "Training":
        return artifacts_of(step)
    return sdk.Properties(step, shape_name="DescribeTransformJobResponse").TransformOutput.S3OutputPath


def s3_location_of(params: "PipelineParams", result: Result, *, is_folder: bool = False) -> Any:
    """Return the location of a Spark step's result as an s3:// URI, the only scheme that SageMaker accepts.

    A folder ends with a slash: otherwise `train` would also match `training`.
    """
    output = join(params.spark_steps[result.step].outputs[result.output or ""])
    return _below_run(output, result.step, *([result.dataset] if result.dataset else []), *[""] * is_folder)


def artifacts_of(training_step: str) -> Any:
    """Return the location of the model.tar.gz of a training step."""
    job = sdk.Properties(training_step, shape_name="DescribeTrainingJobResponse")
    return job.ModelArtifacts.S3ModelArtifacts


def job_name_of(params: "PipelineParams", step: str) -> Any:
    """Return the name of the job of a Spark or a training step."""
    if params.step_type(step) == SPARK:
        return sdk.Properties(step, shape_name="DescribeProcessingJobResponse").ProcessingJobName
    return sdk.Properties(step, shape_name="DescribeTrainingJobResponse").TrainingJobName


def _below_run(output: str, step: str, *names: str) -> Any:
    job = sdk.Properties(step, shape_name="DescribeProcessingJobResponse").ProcessingJobName
    return sdk.Join(on="/", values=[output, RUNS, job, *names])
