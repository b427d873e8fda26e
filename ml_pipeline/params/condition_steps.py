"""The sections of Condition and Fail steps."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_pipeline.params.step_values import JsonValue, ParameterValue, Reference, Scalar, StepModel


class JsonComparison(StepModel):
    """Whether a value in a JSON file equals a given one, or differs from that of a parameter."""

    json_value: JsonValue
    equals: Scalar | None = None
    differs_from: ParameterValue | None = None

    @model_validator(mode="after")
    def _check_kind(self) -> "JsonComparison":
        if (self.equals is None) == (self.differs_from is None):
            raise ValueError('give either equals, or differs_from with {"parameter": "NAME"}')
        return self


class ConditionStepParams(StepModel):
    """The section of a step whose branch is executed if all its conditions are true."""

    type: Literal["Condition"]
    values: Annotated[tuple[JsonComparison, ...], Field(min_length=1)]
    """Comparisons of values in JSON files (`json_value` with `equals` or `differs_from`). All must hold."""

    @property
    def parameters(self) -> frozenset[str]:
        """The execution parameters of its comparisons."""
        return frozenset(each.differs_from.parameter for each in self.values if each.differs_from)

    def references(self) -> Iterator[Reference]:
        """Yield the steps whose results it compares."""
        for index, each in enumerate(self.values):
            yield from each.json_value.references("values", index, "json_value")


class FailStepParams(StepModel):
    """The section of a step that ends an execution as failed."""

    type: Literal["Fail"]
    message: JsonValue
    """The failure reason: a value in a JSON file (`step`, `output`, `file`, `path`)."""

    def references(self) -> Iterator[Reference]:
        """Yield the step that writes the message."""
        yield from self.message.references("message")
