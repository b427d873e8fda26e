"""One builder for each kind of pipeline step."""

from ml_pipeline.steps.spark import SparkStep
from ml_pipeline.steps.step import Step

__all__ = ["SparkStep", "Step"]
