"""The first pipeline: validates a data set with PySpark and writes it as CSV and Parquet."""

from collections.abc import Sequence

from helpers.pipeline_utils import Parameters, get_pipeline_config
from ml_pipeline.steps import SparkStep, Step

DESCRIPTION = "Validates the Abalone data set with PySpark and writes it as CSV and Parquet."


def steps(params: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline."""
    config = get_pipeline_config(params)
    return [
        SparkStep(config["pre-processing-step"]),
    ]
