"""The parameters of the pipeline: files per environment, checked as a whole before anything is built."""

from ml_pipeline.params.loading import load_parameters, pipeline_name
from ml_pipeline.params.model import PipelineParams

__all__ = ["PipelineParams", "load_parameters", "pipeline_name"]
