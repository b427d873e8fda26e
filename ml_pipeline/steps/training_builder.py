"""Builds a training step: an encrypted job in the VPC with network isolation, cached and retried.

Importing this imports the SDK, which takes seconds.
"""

from typing import TYPE_CHECKING, Any

from helpers.infra.tags.tags import get_tags_input
from ml_pipeline.params.training_step import TrainingStepParams
from ml_pipeline.steps import cache
from ml_pipeline.steps import sagemaker_sdk as sdk
from ml_pipeline.steps.request_step import RequestStep, job_retries, vpc_of
from ml_pipeline.steps.results import s3_location_of
from ml_pipeline.steps.step import BuildContext

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams
    from ml_pipeline.params.model_steps import VersionArtifact
    from ml_pipeline.params.training_step import Channel


def build_training_step(name: str, context: BuildContext) -> RequestStep:
    """Return the step of the SDK."""
    params = context.params
    section = params.section(name, TrainingStepParams)
    request = {
        "TrainingJobName": params.job_prefix_of(name),
        "AlgorithmSpecification": {
            "TrainingImage": image_of(section, params.region),
            "TrainingInputMode": "File",
        },
        # SageMaker moves the data: the container has neither network nor credentials.
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "VpcConfig": vpc_of(params),
        "RoleArn": section.role,
        # The container ignores it. As part of the cache key, it is the only way to prevent a cache hit.
        "Environment": {cache.FORCE_RUN_VARIABLE: context.parameters[cache.FORCE_RUN_PARAMETER]},
        "HyperParameters": {key: str(value) for key, value in section.hyperparameters.items()},
        "InputDataConfig": [_channel(channel, given, params) for channel, given in section.channels.items()],
        "OutputDataConfig": {
            "S3OutputPath": section.output,
            "KmsKeyId": section.output_kms,
            "CompressionType": "GZIP",
        },
        "ResourceConfig": {
            "InstanceType": section.instance_type,
            "InstanceCount": section.instance_count,
            "VolumeSizeInGB": section.volume_size_gb,
            "VolumeKmsKeyId": params.pyspark_process_volume_kms,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": section.max_runtime_seconds},
        "Tags": get_tags_input(params.tags),
    }
    return RequestStep(
        name,
        sdk.StepTypeEnum.TRAINING,
        request,
        job_retries(section.retry_attempts),
        sdk.CacheConfig(enable_caching=True, expire_after=section.cache_expires_after),
    )


def image_of(section: "TrainingStepParams | VersionArtifact", region: str) -> str:
    """Return the image that trains and serves a model."""
    image: str = sdk.image_uris.retrieve(section.algorithm, region, version=section.version)
    return image


def _channel(name: str, channel: "Channel", params: "PipelineParams") -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": channel.content_type,
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3DataDistributionType": "FullyReplicated",
                "S3Uri": s3_location_of(params, channel, is_folder=True),
            }
        },
    }
