"""Scores data with the active version of the model, and publishes the predictions if there is no drift."""

from collections.abc import Sequence

from helpers.pipeline_utils import Parameters
from ml_pipeline.steps import ConditionStep, FailStep, ModelStep, SparkStep, Step, TransformStep

DESCRIPTION = "Scores data with the active version of the model, and publishes predictions without drift."


def steps(_: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline."""
    return [
        SparkStep("prepare-scoring"),
        ModelStep("model"),
        TransformStep("transform"),
        SparkStep("post-process"),
        ConditionStep("has-drifted", then=[FailStep("drifted")]),
    ]
