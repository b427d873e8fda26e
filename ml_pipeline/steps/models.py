"""The steps that create a model, score with it, and register it, as pipelines list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ml_pipeline.params.execution_parameters import COMMIT, EXECUTION_PARAMETERS, UNKNOWN_COMMIT
from ml_pipeline.steps import cache
from ml_pipeline.steps.step import BuildContext, Step

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class ModelStep:
    """A step that creates a model from a training step, a model package or an artifact."""

    name: str
    type: ClassVar[str] = "Model"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the parameter with the package or artifact of the model, if it has one."""
        from ml_pipeline.params.model_steps import ModelStepParams  # noqa: PLC0415 - imports the models

        section = params.section(self.name, ModelStepParams)
        given = section.model_package or section.artifact
        return {given.parameter: EXECUTION_PARAMETERS[given.parameter]} if given else {}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.model_builders import build_model_step  # noqa: PLC0415 - imports the SDK

        return build_model_step(self.name, context)


@dataclass(frozen=True)
class TransformStep:
    """A step that scores the output of another step, or a sample, with a model of the pipeline."""

    name: str
    type: ClassVar[str] = "Transform"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the parameter with the sample, if it scores one; its other inputs are results of steps."""
        from ml_pipeline.params.model_steps import TransformStepParams  # noqa: PLC0415 - imports the models

        parameter = params.section(self.name, TransformStepParams).input.parameter
        return {parameter: EXECUTION_PARAMETERS[parameter]} if parameter else {}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.model_builders import build_transform_step  # noqa: PLC0415 - imports the SDK

        return build_transform_step(self.name, context)


@dataclass(frozen=True)
class RegisterModelStep:
    """A step that registers a model as a new version, pending approval."""

    name: str
    type: ClassVar[str] = "RegisterModel"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the parameters that the version records about its origin."""
        return {COMMIT: UNKNOWN_COMMIT, **dict.fromkeys(cache.fingerprint_parameters(params))}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.model_builders import build_register_step  # noqa: PLC0415 - imports the SDK

        return build_register_step(self.name, context)
