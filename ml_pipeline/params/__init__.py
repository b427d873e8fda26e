"""The parameters of pipelines, checked as a whole before anything is built."""

from ml_pipeline.params.loading import DEFAULT_PIPELINE, code_hashes, load_parameters, pipeline_name
from ml_pipeline.params.model import PipelineParams, ProcessingParams
from ml_pipeline.params.spark_code import SparkCode
from ml_pipeline.params.spark_step import SparkStepSpec

__all__ = [
    "DEFAULT_PIPELINE",
    "PipelineParams",
    "ProcessingParams",
    "SparkCode",
    "SparkStepSpec",
    "code_hashes",
    "load_parameters",
    "pipeline_name",
]
