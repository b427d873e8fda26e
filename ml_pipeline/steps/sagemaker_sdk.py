"""The parts of the SageMaker SDK that pipelines use, imported without telemetry and log output.

Importing this takes seconds: import it inside the function that builds a definition.
"""

import copy
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from helpers.aws import Session
from helpers.service_models import share_with_all_sessions

CONFIG = Path(__file__).with_name("sagemaker_config.yaml")

# Both variables: the administrator's settings would change the definition, too.
os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] = str(CONFIG)
os.environ["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] = str(CONFIG)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress what the SDK prints while it is imported and while it builds a definition.

    The SDK makes the root logger print at level INFO, and warns of two intended behaviors: a pipeline session
    starts no job, and steps that are read individually lose the names of their jobs.
    """

    def meant_to_be_so(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Popping out 'ProcessingJobName'")

    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    logging.disable(max(disabled, logging.INFO))  # also affects other threads
    names = logging.getLogger("sagemaker.core.workflow.utilities")
    names.addFilter(meant_to_be_so)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message="Running within a PipelineSession", category=UserWarning
            )
            yield
    finally:
        names.removeFilter(meant_to_be_so)
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.disable(disabled)


@contextmanager
def building(region: str) -> Iterator[None]:
    """Let the SDK build quietly, for a region.

    The SDK creates sessions and clients of its own, even when it is imported, and these need a region in the
    environment. The definition must not depend on variables that happen to be set.
    """
    during = {
        "AWS_DEFAULT_REGION": region,
        # Nothing is called, but without credentials the SDK queries the metadata service of EC2.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    before = {name: os.environ.get(name) for name in during}
    os.environ.update(during)
    try:
        with _quiet():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deferred() -> Iterator[None]:
    """Let the models of pydantic that are defined meanwhile be built when they are used.

    A definition uses few of the 870 in the SDK; to build all takes a fifth of the time of the import.
    """
    before = BaseModel.model_config
    BaseModel.model_config = ConfigDict(**before, defer_build=True)
    try:
        yield
    finally:
        BaseModel.model_config = before


share_with_all_sessions()
with building("us-east-1"), _deferred():
    from sagemaker.core import image_uris
    from sagemaker.core.config import config, config_manager
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input
    from sagemaker.core.spark.processing import PySparkProcessor
    from sagemaker.core.workflow.conditions import ConditionEquals, ConditionNot
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
    from sagemaker.core.workflow.properties import Properties
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.pipeline_experiment_config import PipelineExperimentConfig
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import (
        CacheConfig,
        ConfigurableRetryStep,
        ProcessingStep,
        StepTypeEnum,
    )


def _validate_once(validate: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Return a cached validation of the SDK's configuration.

    For one step, the SDK validates the same configuration and its complete schema 27 times, which takes five
    sixths of the time to build a definition.
    """
    valid: list[dict[str, Any]] = []

    def validate_new(configuration: dict[str, Any]) -> None:
        if configuration not in valid:
            validate(configuration)
            valid.append(copy.deepcopy(configuration))

    return validate_new


config.validate_sagemaker_config = _validate_once(config.validate_sagemaker_config)
config_manager.SageMakerConfig.validate_sagemaker_config = staticmethod(
    _validate_once(config_manager.SageMakerConfig.validate_sagemaker_config)
)


def pipeline_session(region: str, bucket: str) -> PipelineSession:
    """Return a session that builds requests without sending them.

    Args:
        region: the region of the jobs.
        bucket: the bucket; without one, the SDK would look for a default bucket or create it.
    """
    return PipelineSession(boto_session=Session(region), default_bucket=bucket)


__all__ = [
    "CacheConfig",
    "ConditionEquals",
    "ConditionNot",
    "ConditionStep",
    "ConfigurableRetryStep",
    "ExecutionVariables",
    "FailStep",
    "Join",
    "JsonGet",
    "ParameterString",
    "Pipeline",
    "PipelineDefinitionConfig",
    "PipelineExperimentConfig",
    "PipelineSession",
    "ProcessingInput",
    "ProcessingS3Input",
    "ProcessingStep",
    "Properties",
    "PySparkProcessor",
    "SageMakerJobExceptionTypeEnum",
    "SageMakerJobStepRetryPolicy",
    "StepExceptionTypeEnum",
    "StepRetryPolicy",
    "StepTypeEnum",
    "building",
    "image_uris",
    "pipeline_session",
]
