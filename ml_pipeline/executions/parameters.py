"""The parameter values of an execution in addition to fingerprints: the commit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from ml_pipeline.params.execution_parameters import COMMIT, UNKNOWN_COMMIT

if TYPE_CHECKING:
    from boto3 import Session

COMMIT_TAG = "gitops:commit"
"""The tag with which an upsert marks a pipeline."""


class NotReadyError(UserError):
    """What an execution needs is not there yet."""


def commit_parameter(session: "Session", pipeline_arn: str, definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the commit that a pipeline is marked with, if its definition has the parameter."""
    if all(parameter["Name"] != COMMIT for parameter in definition.get("Parameters", [])):
        return {}
    pages = session.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=pipeline_arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return {COMMIT: tags.get(COMMIT_TAG) or UNKNOWN_COMMIT}
