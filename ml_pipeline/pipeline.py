"""Creates and starts the first pipeline from Python; `python -m ml_pipeline` does so for every pipeline."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from helpers.environments import LOCAL, Environment
from ml_pipeline.definitions import build_pipeline
from ml_pipeline.executions.executions import start
from ml_pipeline.params import DEFAULT_PIPELINE, PipelineParams
from ml_pipeline.params.model import model_of
from ml_pipeline.pipelines import find_pipeline
from ml_pipeline.project import open_project
from ml_pipeline.releases.upsert import upsert_all

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline


def create_pipeline(
    pipeline_params: PipelineParams | Mapping[str, Any], logger: logging.Logger
) -> "Pipeline":
    """Build the first pipeline, without sending requests to AWS.

    Args:
        pipeline_params: the parameters. A mapping with the keys of pipeline_params.json is validated.
        logger: logs the names of the pipeline and its steps.

    Returns:
        The pipeline object of the SageMaker SDK.

    Raises:
        pydantic.ValidationError: the mapping is not valid.
    """
    params = (
        pipeline_params
        if isinstance(pipeline_params, PipelineParams)
        else model_of(pipeline_params).model_validate_json(json.dumps(dict(pipeline_params)))
    )
    return build_pipeline(find_pipeline(DEFAULT_PIPELINE), params, logger)


def main() -> str:
    """Upsert the first pipeline in the environment `local`, start it, and return the ARN of the execution."""
    project = open_project(Environment(LOCAL), DEFAULT_PIPELINE)
    upsert_all([project], Console(stderr=True))
    return start(project.session, project.target)


if __name__ == "__main__":
    print(main())
