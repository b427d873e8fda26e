"""The section of a step in a parameter file. Its type determines its keys."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from ml_pipeline.params.condition_steps import ConditionStepParams, FailStepParams
from ml_pipeline.params.files import SPARK
from ml_pipeline.params.model_steps import ModelStepParams, RegisterModelStepParams, TransformStepParams
from ml_pipeline.params.spark_step import SparkStepParams
from ml_pipeline.params.step_values import StepModel
from ml_pipeline.params.training_step import TrainingStepParams

SECTIONS: Mapping[str, type[StepModel]] = {
    SPARK: SparkStepParams,
    "Training": TrainingStepParams,
    "Model": ModelStepParams,
    "Transform": TransformStepParams,
    "RegisterModel": RegisterModelStepParams,
    "Condition": ConditionStepParams,
    "Fail": FailStepParams,
}
"""The sections by SageMaker's types of steps."""


def section_type(section: Any) -> Any:
    """Return the type of a section; by default, that of a Spark step."""
    if isinstance(section, Mapping):
        return section.get("type", SPARK)
    return getattr(section, "type", SPARK)


OtherSection = (
    TrainingStepParams
    | ModelStepParams
    | TransformStepParams
    | RegisterModelStepParams
    | ConditionStepParams
    | FailStepParams
)
"""The section of a step that does not run Spark."""
Section = Annotated[
    Annotated[SparkStepParams, Tag(SPARK)]
    | Annotated[TrainingStepParams, Tag("Training")]
    | Annotated[ModelStepParams, Tag("Model")]
    | Annotated[TransformStepParams, Tag("Transform")]
    | Annotated[RegisterModelStepParams, Tag("RegisterModel")]
    | Annotated[ConditionStepParams, Tag("Condition")]
    | Annotated[FailStepParams, Tag("Fail")],
    Discriminator(section_type),
]
