"""Training steps, as pipelines list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ml_pipeline.steps.step import BuildContext, Step

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class TrainingStep:
    """A step that trains a model with a built-in algorithm; its section has the same name."""

    name: str
    type: ClassVar[str] = "Training"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:  # noqa: ARG002
        """Return none: all that it reads is the result of other steps."""
        return {}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.training_builder import build_training_step  # noqa: PLC0415 - imports the SDK

        return build_training_step(self.name, context)
