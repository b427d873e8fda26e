"""Trains a model, and registers it if it is better than the active version."""

from collections.abc import Sequence

from helpers.pipeline_utils import Parameters
from ml_pipeline.steps import (
    ConditionStep,
    FailStep,
    ModelStep,
    RegisterModelStep,
    SparkStep,
    Step,
    TrainingStep,
    TransformStep,
)

DESCRIPTION = "Trains a model, evaluates it, and registers it where it is better than the active version."


def steps(_: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline.

    In SageMaker no step waits for the branches of a condition. So there are two conditions: one registers the
    model, the other one fails, and where nothing has changed neither does anything.
    """
    return [
        SparkStep("prepare"),
        TrainingStep("train"),
        ModelStep("model"),
        TransformStep("score-test"),
        SparkStep("evaluate"),
        ConditionStep("good-enough", then=[RegisterModelStep("register")]),
        ConditionStep("not-good-enough", then=[FailStep("reject")]),
    ]
