"""The protocol of pipeline steps, and the values from which they are built."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class BuildContext:
    """The values that the steps of a pipeline share while they are built."""

    params: "PipelineParams"
    session: Any
    """The SDK's PipelineSession."""
    parameters: Mapping[str, Any]
    """The pipeline's parameters, such as ForceRun, by name."""


class Step(Protocol):
    """A step as a pipeline's module lists it; the SDK is imported only when it is built."""

    @property
    def name(self) -> str:
        """The name of the step and of its section in the parameter file."""

    @property
    def type(self) -> str:
        """The type of the step in SageMaker and in its section."""

    @property
    def branches(self) -> Sequence["Step"]:
        """The steps of its branch, which are executed only if its conditions are true."""

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the step's pipeline parameters with their defaults; None if a value is required."""

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""


def with_branches(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps, each followed by those of its branches."""
    for step in steps:
        yield step
        yield from with_branches(step.branches)
