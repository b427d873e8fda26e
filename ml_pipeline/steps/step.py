"""The protocol of pipeline steps, and the values from which they are built."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class BuildContext:
    """What the steps of a pipeline share while they are built."""

    params: "PipelineParams"
    session: Any
    """The SDK's PipelineSession."""
    parameters: Mapping[str, Any]
    """The pipeline's parameters, as ForceRun, by name."""


class Step(Protocol):
    """A step as a pipeline's module lists it; nothing of the SDK is needed before it is built."""

    @property
    def name(self) -> str:
        """Its name, which is also that of its section in the parameter file."""

    @property
    def type(self) -> str:
        """Its type, as SageMaker names it; its section has the same."""

    @property
    def branches(self) -> Sequence["Step"]:
        """The steps that are executed only if it decides so."""

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return the pipeline parameters that it needs, with their defaults; None where one must be given."""

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""


def with_branches(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps, each with those in its branches after it."""
    for step in steps:
        yield step
        yield from with_branches(step.branches)
