"""The evaluation of a version, written by the step `evaluate` of its training."""

from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from helpers.errors import UserError
from helpers.s3 import parse

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from ml_pipeline.registry.packages import Package


class Slice(BaseModel):
    """The rows of the test set that have a value in a column."""

    model_config = ConfigDict(frozen=True)

    column: str
    value: str | int | float | bool | None
    rows: int
    metrics: dict[str, FiniteFloat | None]
    """None where a metric is undefined, such as r2 of rows with the same label."""


class Evaluation(BaseModel):
    """An evaluation.json."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1]
    label: str
    rows: int
    """Of the test set."""
    metrics: dict[str, FiniteFloat]
    slices: list[Slice] = []


def read_evaluation(s3: "S3Client", package: "Package") -> Evaluation:
    """Return the evaluation of a version.

    Raises:
        UserError: the version has no evaluation, or it cannot be read.
    """
    if not package.metrics:
        raise UserError(
            f"Version {package.version} has no evaluation",
            hint="Register versions with ModelMetrics.ModelQuality.Statistics",
        )
    uri = parse(package.metrics)
    try:
        text = s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchBucket", "NoSuchKey"}:
            raise UserError(
                f"The evaluation of version {package.version} is missing: {package.metrics}",
                hint="Train and register the model again with: make run PIPELINE=train",
            ) from error
        raise
    try:
        return Evaluation.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise UserError(
            f"{package.metrics}, the evaluation of version {package.version}, cannot be used: "
            f"{where}: {first['msg']}",
            hint="Train and register the model again with: make run PIPELINE=train",
        ) from error
