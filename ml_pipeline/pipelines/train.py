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

DESCRIPTION = "Trains a model, evaluates it, and registers it if it is better than the active version."


def steps(_: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline.

    There are two conditions, because in SageMaker no step can wait for the branches of a condition. The first
    one registers the model, and the second one fails the execution. If nothing has changed, both do nothing.
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
