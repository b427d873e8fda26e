"""Spark steps, as pipelines list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ml_pipeline.params.execution_parameters import EXECUTION_PARAMETERS
from ml_pipeline.steps import cache
from ml_pipeline.steps.step import BuildContext, Step

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams


@dataclass(frozen=True)
class SparkStep:
    """A step that runs a PySpark job; its section in the parameter file has the same name."""

    name: str
    type: ClassVar[str] = "Processing"
    branches: ClassVar[Sequence[Step]] = ()

    def pipeline_parameters(self, params: "PipelineParams") -> Mapping[str, str | None]:
        """Return a fingerprint for each external input; without a default, it must be passed."""
        spec = params.spark_steps[self.name]
        fingerprints = {cache.fingerprint_parameter(self.name, name): None for name in spec.data_inputs}
        return {**fingerprints, **{name: EXECUTION_PARAMETERS[name] for name in sorted(spec.parameters)}}

    def build(self, context: BuildContext) -> Any:
        """Return the step of the SDK."""
        from ml_pipeline.steps.spark_builder import build_spark_step  # noqa: PLC0415 - imports the SDK

        return build_spark_step(context.params.spark_steps[self.name], context)
