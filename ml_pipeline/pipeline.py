"""The first pipeline by its public names; `python -m ml_pipeline` does the same for every pipeline."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_pipeline.definitions import build_pipeline
from ml_pipeline.params import DEFAULT_PIPELINE, PipelineParams
from ml_pipeline.params.model import model_of
from ml_pipeline.pipelines import find_pipeline

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline


def create_pipeline(
    pipeline_params: PipelineParams | Mapping[str, Any], logger: logging.Logger
) -> "Pipeline":
    """Build the pipeline; nothing is sent to AWS.

    Args:
        pipeline_params: the parameters; a mapping with the keys of pipeline_params.json is validated first.
        logger: logs what is built.

    Returns:
        The pipeline of the SageMaker SDK.
    """
    params = (
        pipeline_params
        if isinstance(pipeline_params, PipelineParams)
        else model_of(pipeline_params).model_validate_json(json.dumps(dict(pipeline_params)))
    )
    return build_pipeline(find_pipeline(DEFAULT_PIPELINE), params, logger)


def main() -> str:
    """Upsert the pipeline of the environment `local` and start it; return the execution's ARN."""
    from ml_pipeline.commands.start import run_once  # noqa: PLC0415 - only this needs the commands

    return run_once("local", DEFAULT_PIPELINE)


if __name__ == "__main__":
    print(main())
