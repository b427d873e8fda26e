"""The sample of a version: test data with the predictions that were recorded for it, beside its evaluation.

A promoted version can be approved only after the pipeline score-sample has scored it with the same result.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.s3 import parse
from ml_pipeline.registry.packages import (
    PROMOTED_FROM,
    PROMOTED_FROM_ENVIRONMENT,
    SAMPLE_SCORED_IN,
    Package,
)

if TYPE_CHECKING:
    from ml_pipeline.registry.group import ModelGroup

SAMPLE = "sample.csv"


def beside(uri: str, name: str) -> str:
    """Return the URI of another file in the folder of a file; empty if the URI of that file is empty."""
    return f"{uri.rpartition('/')[0]}/{name}" if uri else ""


def sample_uri(group: "ModelGroup", package: Package) -> str | None:
    """Return the URI of the sample of a version, or None if it has none."""
    uri = beside(package.metrics, SAMPLE)
    if not uri:
        return None
    place = parse(uri)
    try:
        group.s3.head_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket", "NoSuchKey"}:
            raise
        return None
    return uri


def needs_scoring(package: Package) -> bool:
    """Return whether a version was promoted, and its sample was not scored with the recorded predictions."""
    return PROMOTED_FROM in package.properties and SAMPLE_SCORED_IN not in package.properties


def record_scoring(group: "ModelGroup", package: Package, execution: str) -> None:
    """Record the execution of score-sample that succeeded."""
    group.sagemaker.update_model_package(
        ModelPackageArn=package.arn, CustomerMetadataProperties={SAMPLE_SCORED_IN: execution}
    )


def promote_command(group: "ModelGroup", package: Package) -> str:
    """Return the make command that scores the sample of a promoted version."""
    return group.command(
        "promote",
        FROM=package.properties.get(PROMOTED_FROM_ENVIRONMENT, "…"),
        MODEL=package.properties[PROMOTED_FROM].rpartition("/")[2],
    )
