"""Builds the steps that create a model, score with it, and register it, in the VPC and encrypted.

Importing this imports the SDK, which takes seconds.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from helpers.infra.tags.tags import get_tags_input
from ml_pipeline.params import package_properties as properties
from ml_pipeline.params.execution_parameters import (
    CHAMPION_MODEL_DATA_URL,
    COMMIT,
    MODEL_DATA_URL,
    MODEL_PACKAGE_ARN,
    SAMPLE_URL,
)
from ml_pipeline.params.model_steps import ModelStepParams, RegisterModelStepParams, TransformStepParams
from ml_pipeline.params.spark_code import HASH_DIGITS
from ml_pipeline.params.training_step import TrainingStepParams
from ml_pipeline.steps import cache
from ml_pipeline.steps import sagemaker_sdk as sdk
from ml_pipeline.steps.model_card import model_card
from ml_pipeline.steps.request_step import RequestStep, job_retries, step_retries, vpc_of
from ml_pipeline.steps.results import RUNS, artifacts_of, job_name_of, s3_location_of
from ml_pipeline.steps.step import BuildContext
from ml_pipeline.steps.training_builder import image_of

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams
    from ml_pipeline.params.step_values import JsonFile


def build_model_step(name: str, context: BuildContext) -> RequestStep:
    """Return the step that creates a model; of a package, SageMaker takes image and artifacts from there."""
    params = context.params
    section = params.section(name, ModelStepParams)
    if section.training_step:
        container = _container(section.training_step, params)
    elif section.artifact:
        image = image_of(section.artifact, params.region)
        container = {"Image": image, "ModelDataUrl": context.parameters[MODEL_DATA_URL]}
    else:
        container = {"ModelPackageName": context.parameters[MODEL_PACKAGE_ARN]}
    request = {
        "ModelName": params.job_prefix_of(name),
        "ExecutionRoleArn": section.role,
        "EnableNetworkIsolation": True,
        "VpcConfig": vpc_of(params),
        "PrimaryContainer": container,
        "Tags": get_tags_input(params.tags),
    }
    return RequestStep(name, sdk.StepTypeEnum.CREATE_MODEL, request, step_retries(section.retry_attempts))


def build_transform_step(name: str, context: BuildContext) -> RequestStep:
    """Return the step that scores records, one a line, with a model of the pipeline.

    It is never cached: its key has the name of the model, which is another one in each execution. Its output
    is named after what it is made of, so that steps which read it can be; that of a sample after the
    execution, so that they are not.
    """
    params = context.params
    section = params.section(name, TransformStepParams)
    request = {
        "TransformJobName": params.job_prefix_of(name),
        "ModelName": sdk.Properties(section.model_step, shape_name="DescribeModelOutput").ModelName,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": section.max_payload_mb,
        "TransformInput": {
            "ContentType": section.input.content_type,
            "SplitType": "Line",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": s3_location_of(params, result, is_folder=True)
                    if (result := section.input.result)
                    else context.parameters[SAMPLE_URL],
                }
            },
        },
        "TransformOutput": {
            "S3OutputPath": sdk.Join(
                on="/", values=[section.output.rstrip("/"), RUNS, *_origins(section, context)]
            ),
            "Accept": section.input.content_type,
            "AssembleWith": "Line",
            "KmsKeyId": params.pyspark_process_output_kms,
        },
        "TransformResources": {
            "InstanceType": section.instance_type,
            "InstanceCount": section.instance_count,
            "VolumeKmsKeyId": params.pyspark_process_volume_kms,
        },
        "DataProcessing": {
            "JoinSource": "Input" if section.join_input else "None",
            "InputFilter": section.input_filter,
            "OutputFilter": section.output_filter,
        },
        "Tags": get_tags_input(params.tags),
    }
    return RequestStep(name, sdk.StepTypeEnum.TRANSFORM, request, job_retries(section.retry_attempts))


def build_register_step(name: str, context: BuildContext) -> RequestStep:
    """Return the step that registers a model; tags are those of its group, SageMaker takes no others."""
    params = context.params
    section = params.section(name, RegisterModelStepParams)
    baseline = {
        "Statistics": _json_file(section.statistics, params),
        "Constraints": _json_file(section.constraints, params),
    }
    instances = list(section.transform_instance_types)
    digest = sdk.JsonGet(
        step_name=section.evaluation.step,
        s3_uri=s3_location_of(params, section.evaluation),
        json_path="model_digest",
    )
    request = {
        "ModelPackageGroupName": section.model_package_group,
        "ModelPackageDescription": section.description,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [_container(section.training_step, params)],
            "SupportedContentTypes": [section.content_type],
            "SupportedResponseMIMETypes": [section.content_type],
            "SupportedTransformInstanceTypes": instances,
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": _json_file(section.evaluation, params)},
            "ModelDataQuality": baseline,
        },
        "DriftCheckBaselines": {"ModelDataQuality": baseline},
        "CustomerMetadataProperties": {
            **dict(_origin(section.training_step, context)),
            properties.MODEL_DIGEST: digest,
            **dict(_compared_with(context)),
        },
    }
    if section.card:
        request["ModelCard"] = model_card(section.card, section.training_step, context)
    return RequestStep(name, sdk.StepTypeEnum.REGISTER_MODEL, request, step_retries(section.retry_attempts))


def _container(training_step: str, params: "PipelineParams") -> dict[str, Any]:
    """Return the container that serves the model of a training step; it needs no variables."""
    section = params.section(training_step, TrainingStepParams)
    return {"Image": image_of(section, params.region), "ModelDataUrl": artifacts_of(training_step)}


def _origins(section: TransformStepParams, context: BuildContext) -> Iterator[Any]:
    """Yield the names of what predictions are made of: the job that wrote the input, and the model.

    Those of a sample are compared in each execution, whatever they are made of.
    """
    params = context.params
    if not section.input.step:
        yield sdk.ExecutionVariables.PIPELINE_EXECUTION_ID
        return
    yield job_name_of(params, section.input.step)
    model = params.section(section.model_step, ModelStepParams)
    if model.training_step:
        yield job_name_of(params, model.training_step)
    else:
        yield context.parameters[MODEL_DATA_URL if model.artifact else MODEL_PACKAGE_ARN]


def _compared_with(context: BuildContext) -> Iterator[tuple[str, Any]]:
    """Yield what a version notes of its comparison with the active one, if its pipeline compares them."""
    if champion := context.parameters.get(CHAMPION_MODEL_DATA_URL):
        yield properties.COMPARED_WITH, champion


def _json_file(file: "JsonFile", params: "PipelineParams") -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": s3_location_of(params, file)}


def _origin(training_step: str, context: BuildContext) -> Iterator[tuple[str, Any]]:
    """Yield what a version notes of its origin: commit, code of each Spark step, training and data."""
    params = context.params
    yield properties.COMMIT, context.parameters[COMMIT]
    section = params.section(training_step, TrainingStepParams)
    training = [image_of(section, params.region), section.instance_count, section.hyperparameters]
    digest = hashlib.sha256(json.dumps(training, sort_keys=True).encode()).hexdigest()
    yield f"{properties.TRAINING}{training_step}", digest[:HASH_DIGITS]
    for step in params.spark_steps.values():
        yield f"{properties.CODE}{step.name}", PurePosixPath(step.app).parent.name
    for name in cache.fingerprint_parameters(params):
        yield f"{properties.DATA}{name.removeprefix(cache.FINGERPRINT)}", context.parameters[name]
