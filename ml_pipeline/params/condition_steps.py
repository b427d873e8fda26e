"""The sections of Condition and Fail steps."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ml_pipeline.params.step_values import JsonValue, ParameterValue, Reference, StepModel


class JsonComparison(StepModel):
    """Whether a value in a JSON file is a given one."""

    json_value: JsonValue
    equals: str | float | int | bool


class OtherModel(StepModel):
    """Whether the artifacts of a training step are other ones than those that a parameter names."""

    training_step: str
    differs_from: ParameterValue


class ConditionStepParams(StepModel):
    """The section of a step whose branch is executed where all its conditions hold."""

    type: Literal["Condition"]
    values: Annotated[tuple[JsonComparison, ...], Field(min_length=1)]
    """Comparisons of values in JSON files (`json_value`, `equals`). All must hold."""
    other_models: tuple[OtherModel, ...] = ()
    """Comparisons of model artifacts (`training_step`, `differs_from`). All must hold."""

    @property
    def parameters(self) -> frozenset[str]:
        """The execution parameters that it compares with."""
        return frozenset(each.differs_from.parameter for each in self.other_models)

    def references(self) -> Iterator[Reference]:
        """Yield the steps whose results it compares."""
        for index, each in enumerate(self.values):
            yield from each.json_value.references("values", index, "json_value")
        for index, other in enumerate(self.other_models):
            path = ("other_models", index, "training_step")
            yield Reference(path, other.training_step, frozenset({"Training"}))


class FailStepParams(StepModel):
    """The section of a step that ends an execution as failed."""

    type: Literal["Fail"]
    message: JsonValue
    """The failure reason: a value in a JSON file (`step`, `output`, `file`, `path`)."""

    def references(self) -> Iterator[Reference]:
        """Yield the step that writes the message."""
        yield from self.message.references("message")
