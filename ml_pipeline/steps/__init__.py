"""One builder for each kind of pipeline step."""

from ml_pipeline.steps.conditions import ConditionStep, FailStep
from ml_pipeline.steps.models import ModelStep, RegisterModelStep, TransformStep
from ml_pipeline.steps.spark import SparkStep
from ml_pipeline.steps.step import Step
from ml_pipeline.steps.training import TrainingStep

__all__ = [
    "ConditionStep",
    "FailStep",
    "ModelStep",
    "RegisterModelStep",
    "SparkStep",
    "Step",
    "TrainingStep",
    "TransformStep",
]
