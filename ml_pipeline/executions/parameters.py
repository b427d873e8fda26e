"""The parameter values of an execution in addition to fingerprints: the commit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from ml_pipeline.params.execution_parameters import COMMIT, UNKNOWN_COMMIT

if TYPE_CHECKING:
    from boto3 import Session

COMMIT_TAG = "gitops:commit"
"""The tag with the commit of a pipeline's upsert."""


class NotReadyError(UserError):
    """A prerequisite of an execution is missing."""


def commit_parameter(session: "Session", pipeline_arn: str, definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the commit in a pipeline's tag, if its definition has the parameter."""
    if all(parameter["Name"] != COMMIT for parameter in definition.get("Parameters", [])):
        return {}
    pages = session.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=pipeline_arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return {COMMIT: tags.get(COMMIT_TAG) or UNKNOWN_COMMIT}
