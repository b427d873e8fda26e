"""Scores the sample of a model version. `make promote` runs this pipeline before you approve the version."""

from collections.abc import Sequence

from helpers.pipeline_utils import Parameters
from ml_pipeline.steps import ModelStep, SparkStep, Step, TransformStep

DESCRIPTION = "Scores the sample of a version, and fails unless the predictions match the recorded ones."


def steps(_: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline."""
    return [
        ModelStep("model"),
        TransformStep("transform"),
        SparkStep("check"),
    ]
