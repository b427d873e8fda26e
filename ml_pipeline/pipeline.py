"""The pipeline: one PySpark processing job in a VPC, encrypted with our keys, cached and retried."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.infra.networking.networking import get_network_configuration
from helpers.infra.tags.tags import get_tags_input
from helpers.pipeline_utils import get_pipeline_config
from helpers.spark.images import PYTHON_VERSION
from ml_pipeline.params import PipelineParams
from ml_pipeline.params.api_limits import limits

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline

DESCRIPTION = "Validates the Abalone data set with PySpark and writes it as CSV and Parquet."
FINGERPRINT_PARAMETER = "InputDataFingerprint"
FINGERPRINT_VARIABLE = "INPUT_DATA_FINGERPRINT"
CONTAINER_VERSION = "1.3"
CONFIGURATION_FOLDER = "/opt/ml/processing/input/conf"
RETRY_INTERVAL_SECONDS = 10


def create_pipeline(
    pipeline_params: PipelineParams | Mapping[str, Any], logger: logging.Logger
) -> "Pipeline":
    """Build the pipeline; nothing is sent to AWS.

    Args:
        pipeline_params: the parameters; a plain mapping is validated first.
        logger: told what is built.

    Returns:
        The pipeline of the SageMaker SDK.
    """
    # The SDK takes seconds to import, and most commands do without it.
    from ml_pipeline import sagemaker_sdk as sdk  # noqa: PLC0415

    params = (
        pipeline_params
        if isinstance(pipeline_params, PipelineParams)
        else PipelineParams.model_validate_json(json.dumps(dict(pipeline_params)))
    )
    config = get_pipeline_config(params)
    tags = get_tags_input(params.tags)
    logger.info("Building step %s of pipeline %s", config["pre-processing-step"], params.pipeline_name)
    with sdk.building(params.region):
        session = sdk.PipelineSession(
            boto_session=boto3.Session(region_name=params.region),
            # Named, so that the SDK does not ask for, or create, a bucket of its own.
            default_bucket=params.pyspark_process_code.split("/")[2],
        )
        # The cache does not look behind a URI: a fingerprint of the data in the environment makes a
        # change of the data a change of the step. Without a default, nobody can forget it.
        fingerprint = sdk.ParameterString(name=FINGERPRINT_PARAMETER)
        processor = sdk.PySparkProcessor(
            framework_version=params.pyspark_framework_version,
            py_version=PYTHON_VERSION,
            container_version=CONTAINER_VERSION,
            role=params.pyspark_process_role or params.pipeline_role,
            instance_type=params.pyspark_process_instance_type,
            instance_count=params.pyspark_process_instance_count,
            volume_size_in_gb=params.pyspark_process_volume_size_gb,
            volume_kms_key=params.pyspark_process_volume_kms,
            output_kms_key=params.pyspark_process_output_kms,
            max_runtime_in_seconds=params.pyspark_process_max_runtime_seconds,
            network_config=get_network_configuration(
                params.network_subnet_ids,
                params.network_security_group_ids,
                enable_network_isolation=params.enable_network_isolation,
            ),
            env={FINGERPRINT_VARIABLE: fingerprint},
            tags=tags,
            sagemaker_session=session,
        )
        step_arguments = processor.run(
            submit_app=params.pyspark_process_code,
            submit_py_files=[params.pyspark_helper_code],
            arguments=_job_arguments(params),
            inputs=[
                sdk.ProcessingInput(
                    input_name="conf",
                    s3_input=sdk.ProcessingS3Input(
                        s3_uri=params.spark_config_file,
                        local_path=CONFIGURATION_FOLDER,
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                        s3_data_distribution_type="FullyReplicated",
                        s3_compression_type="None",
                    ),
                )
            ],
            # A folder per execution. Outputs are not part of the cache's key.
            spark_event_logs_s3_uri=sdk.Join(
                on="/",
                values=[
                    params.process_spark_ui_log_output.format(config["trial"]).rstrip("/"),
                    sdk.ExecutionVariables.PIPELINE_EXECUTION_ID,
                ],
            ),
        )
        retries = {
            "interval_seconds": RETRY_INTERVAL_SECONDS,
            "max_attempts": params.pyspark_process_retry_attempts,
        }
        step_faults, job_faults = sdk.StepExceptionTypeEnum, sdk.SageMakerJobExceptionTypeEnum
        step = sdk.ProcessingStep(
            name=config["pre-processing-step"],
            step_args=step_arguments,
            cache_config=sdk.CacheConfig(
                enable_caching=True, expire_after=params.pyspark_process_cache_expires_after
            ),
            retry_policies=[
                sdk.StepRetryPolicy([step_faults.SERVICE_FAULT, step_faults.THROTTLING], **retries),
                sdk.SageMakerJobStepRetryPolicy(
                    [job_faults.INTERNAL_ERROR, job_faults.CAPACITY_ERROR], **retries
                ),
            ],
        )
        return sdk.Pipeline(
            name=params.pipeline_name,
            parameters=[fingerprint],
            steps=[step],
            pipeline_experiment_config=sdk.PipelineExperimentConfig(params.pipeline_name, config["trial"]),
            sagemaker_session=session,
        )


def pipeline_definition(pipeline_params: PipelineParams, logger: logging.Logger | None = None) -> str:
    """Return the definition of the pipeline as canonical JSON: equal parameters give equal bytes.

    Raises:
        UserError: it is larger than the API takes.
    """
    pipeline = create_pipeline(pipeline_params, logger or logging.getLogger(__name__))
    from ml_pipeline import sagemaker_sdk as sdk  # noqa: PLC0415 - imported by now, at no cost

    with sdk.building(pipeline_params.region):
        text = canonical(pipeline.definition())
    size, maximum = len(text.encode()), limits("PipelineDefinition").maximum
    if size > maximum:
        raise UserError(
            f"The definition has {size} bytes, SageMaker takes {maximum}: shorten the parameters."
        )
    return text


def canonical(definition: str) -> str:
    """Return a definition with sorted keys, one value a line, and without nulls, which the schema forbids."""
    return json.dumps(_without_nulls(json.loads(definition)), indent=2, sort_keys=True, ensure_ascii=False)


def main() -> str:
    """Upsert the pipeline of the environment `local` and start it; return the execution's ARN.

    `python -m ml_pipeline` does the same for every environment, step by step.
    """
    from ml_pipeline.commands import run_once  # noqa: PLC0415 - commands import this module

    return run_once(Environment("local"))


def _job_arguments(params: PipelineParams) -> list[str]:
    return [
        "--input_table",
        params.pyspark_process_data_input,
        "--output_table",
        params.pyspark_process_data_output,
        "--max_rejected_fraction",
        str(params.pyspark_process_max_rejected_fraction),
    ]


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item) for item in value]
        case _:
            return value


if __name__ == "__main__":
    print(main())
