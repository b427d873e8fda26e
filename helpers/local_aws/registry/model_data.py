"""The model artifacts in S3."""

from typing import Any

from botocore.exceptions import ClientError

from helpers.local_aws.api.response import ApiError
from helpers.s3 import parse


def model_data_etag(s3: Any, url: str) -> str:
    """Return the ETag of the artifacts at a ModelDataUrl.

    Raises:
        ApiError: ValidationException if the object does not exist.
    """
    uri = parse(url)
    try:
        return str(s3.head_object(Bucket=uri.bucket, Key=uri.key)["ETag"]).strip('"')
    except ClientError as error:
        raise ApiError("ValidationException", f"Could not find model data at {url}.") from error
