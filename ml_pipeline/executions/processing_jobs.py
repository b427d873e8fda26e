"""The processing jobs of an execution's steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def describe_job(sagemaker: "SageMakerClient", arn: str) -> Mapping[str, Any]:
    """Return the job with an ARN.

    The name of its log is the `ProcessingJobName` in there: the ARN may have it in lower case.

    Raises:
        ClientError: it may not be read.
    """
    return sagemaker.describe_processing_job(ProcessingJobName=arn.rsplit("/", 1)[-1])
