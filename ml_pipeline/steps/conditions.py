"""Condition and Fail steps, as pipelines list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ml_pipeline.params.execution_parameters import EXECUTION_PARAMETERS
from ml_pipeline.steps.step import BuildContext, Step

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class ConditionStep:
    """A step with a branch that is executed if all its conditions are true.

    Steps after a condition do not wait for its branch, and a branch contains no other condition.
    """

    name: str
    then: Sequence[Step]
    type: ClassVar[str] = "Condition"

    @property
    def branches(self) -> Sequence[Step]:
        """The steps of its branch."""
        return self.then

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the parameters of its comparisons and of its branch."""
        from ml_pipeline.params.condition_steps import ConditionStepParams  # noqa: PLC0415 - imports the models

        compared = params.section(self.name, ConditionStepParams).parameters
        wanted = {name: EXECUTION_PARAMETERS[name] for name in sorted(compared)}
        for step in self.then:
            wanted |= step.pipeline_parameters(params)
        return wanted

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.condition_builders import build_condition_step  # noqa: PLC0415 - imports the SDK

        return build_condition_step(self.name, [step.build(context) for step in self.then], context)


@dataclass(frozen=True)
class FailStep:
    """A step that ends the execution as failed."""

    name: str
    type: ClassVar[str] = "Fail"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:  # noqa: ARG002
        """Return none."""
        return {}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.condition_builders import build_fail_step  # noqa: PLC0415 - imports the SDK

        return build_fail_step(self.name, context)
