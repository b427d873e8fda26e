"""Checks whether a role can read an object in S3, including an encrypted one."""

from typing import Any

from botocore.exceptions import ClientError

from helpers.local_aws.access.authorization import principal_of, require
from helpers.local_aws.access.keys import find_key
from helpers.local_aws.api.response import ApiError
from helpers.s3 import S3Uri


def reading_problem(s3: Any, uri: S3Uri, role_arn: str, region: str) -> str | None:
    """Return why a role cannot read an object, or None if it can.

    Args:
        s3: A client with the permissions of the service.
        uri: URI of the object.
        role_arn: ARN of an existing role.
        region: region of the object and its key.
    """
    try:
        head = s3.head_object(Bucket=uri.bucket, Key=uri.key)
    except ClientError as error:
        return f"{uri}: {error}"
    role = principal_of(role_arn)
    try:
        require(role, "s3:GetObject", f"arn:aws:s3:::{uri.bucket}/{uri.key}", {})
        if key := find_key(head.get("SSEKMSKeyId"), region):
            through_s3 = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
            require(role, "kms:Decrypt", key.arn, through_s3, key)
    except ApiError as error:
        return str(error)
    return None
