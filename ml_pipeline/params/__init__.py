"""The parameters of pipelines, validated completely before a definition is built.

Names are imported when they are used: the typed models take longer than many a command.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ml_pipeline.params.files import DEFAULT_PIPELINE, code_hashes, pipeline_name

if TYPE_CHECKING:
    from ml_pipeline.params.loading import load_parameters
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
_MODULES = {
    "load_parameters": "loading",
    "PipelineParams": "model",
    "ProcessingParams": "model",
    "SparkCode": "spark_code",
    "SparkStepSpec": "spark_step",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
