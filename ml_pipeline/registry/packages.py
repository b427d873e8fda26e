"""The model packages of a group: each is a version of its model.

The active version is the newest approved one. Scoring uses it, and candidates are compared with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from helpers.errors import UserError
from ml_pipeline.params.execution_parameters import NOT_GIVEN
from ml_pipeline.params.package_properties import COMPARED_WITH, MODEL_DIGEST, ORIGINS

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
PENDING: Final = "PendingManualApproval"
APPROVED_BY = "approved-by"
"""The customer's metadata property that names who approved a version."""
PROMOTED_FROM = "promoted-from"
"""That with the package of the environment that a version was promoted from."""
PROMOTED_FROM_ENVIRONMENT = "promoted-from-environment"
"""That with the name of that environment."""
SAMPLE_SCORED_IN = "sample-scored-in"
"""That with the execution in which the sample of a promoted version was scored as in that environment."""


@dataclass(frozen=True)
class Baselines:
    """What drift is measured against: documents in Model Monitor's schema.

    Attributes:
        statistics: URI of statistics.json; empty if there is none.
        constraints: URI of constraints.json, likewise.
    """

    statistics: str = ""
    constraints: str = ""


@dataclass(frozen=True)
class Package:
    """A model package.

    Attributes:
        status: of its approval: `Approved`, `Rejected` or `PendingManualApproval`.
        registration: whether SageMaker has all of it: `Completed`, or `Pending`, `InProgress`, `Failed`.
        model_data_url: of its model.tar.gz; empty where it has none.
        model_data_etag: the ETag of that object at the registration; empty where it is not known.
        image: that serves it; empty where it has none.
        environment: the variables of its container.
        metrics: URI of evaluation.json; empty if there is none.
        properties: the customer's metadata properties.
        modified_by: who changed it last; empty where nobody did.
        card: the content of its model card, JSON; empty where it has none.
    """

    arn: str
    version: int
    status: str
    registered: datetime
    registration: str = "Completed"
    model_data_url: str = ""
    model_data_etag: str = ""
    image: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics: str = ""
    baselines: Baselines = Baselines()
    properties: Mapping[str, str] = field(default_factory=dict)
    modified_by: str = ""
    card: str = ""

    @property
    def digest(self) -> str:
        """The hash of the model; empty where it is not known."""
        return self.properties.get(MODEL_DIGEST, "")

    @property
    def origin(self) -> dict[str, str]:
        """The hashes of its code, training and data."""
        return {name: value for name, value in self.properties.items() if name.startswith(ORIGINS)}

    @property
    def compared(self) -> bool:
        """Whether it was evaluated beside the version that was active, or there was none.

        An event starts training without a look at the registry. A promoted version was approved before.
        """
        return self.properties.get(COMPARED_WITH) != NOT_GIVEN or PROMOTED_FROM in self.properties

    @property
    def approved(self) -> bool:
        """Whether it may be deployed."""
        return self.status == APPROVED

    @property
    def approved_by(self) -> str:
        """Who approved it, by `make approve` or otherwise; empty where it is not approved."""
        return self.properties.get(APPROVED_BY, self.modified_by) if self.approved else ""


def champion(sagemaker: "SageMakerClient", group: str) -> Package | None:
    """Return the active version of a model, or None where none is approved.

    Raises:
        UserError: there is no such group.
    """
    return next(_packages(sagemaker, group, ModelApprovalStatus=APPROVED), None)


def list_packages(sagemaker: "SageMakerClient", group: str) -> Iterator[Package]:
    """Yield the versions of a model, the newest first; each is read when it is asked for.

    Raises:
        UserError: there is no such group.
    """
    return _packages(sagemaker, group)


def describe(sagemaker: "SageMakerClient", arn: str) -> Package:
    """Return a package by its ARN.

    Raises:
        botocore.exceptions.ClientError: there is none.
    """
    return _package_of(sagemaker.describe_model_package(ModelPackageName=arn))


def _packages(sagemaker: "SageMakerClient", group: str, **filters: Any) -> Iterator[Package]:
    for arn in _arns(sagemaker, group, **filters):
        try:
            package = describe(sagemaker, arn)
        except ClientError as error:
            if _is_missing(error):
                continue  # deleted meanwhile
            raise
        # Which of a list's filters hold may change before a package is described.
        if filters.get("ModelApprovalStatus", package.status) == package.status:
            yield package


def _arns(sagemaker: "SageMakerClient", group: str, **filters: Any) -> Iterator[str]:
    """Yield the ARNs of packages, the newest first."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", **filters
    )
    try:
        for page in pages:
            yield from (entry["ModelPackageArn"] for entry in page["ModelPackageSummaryList"])
    except ClientError as error:
        if _is_missing(error):
            raise UserError(
                f"There is no model package group {group}", hint="Deploy the stack models with: make deploy"
            ) from error
        raise


def _is_missing(error: ClientError) -> bool:
    """Return whether an error means that there is no such group or package."""
    details = error.response["Error"]
    return details["Code"] == "ResourceNotFound" or "does not exist" in details.get("Message", "")


def _package_of(described: Mapping[str, Any]) -> Package:
    """Return a package as `DescribeModelPackage` does."""
    container: Mapping[str, Any] = next(
        iter(described.get("InferenceSpecification", {}).get("Containers", [])), {}
    )
    metrics = described.get("ModelMetrics", {}).get("ModelQuality", {})
    # Of its two members with baselines, the one that events of versions have: a rule starts scoring with it.
    baselines = described.get("ModelMetrics", {}).get("ModelDataQuality", {})
    return Package(
        arn=described["ModelPackageArn"],
        version=described["ModelPackageVersion"],
        status=described["ModelApprovalStatus"],
        registered=described["CreationTime"],
        registration=described["ModelPackageStatus"],
        model_data_url=container.get("ModelDataUrl", ""),
        model_data_etag=container.get("ModelDataETag", ""),
        image=container.get("Image", ""),
        environment=container.get("Environment", {}),
        metrics=_uri(metrics, "Statistics"),
        baselines=Baselines(_uri(baselines, "Statistics"), _uri(baselines, "Constraints")),
        properties=described.get("CustomerMetadataProperties", {}),
        modified_by=described.get("LastModifiedBy", {}).get("IamIdentity", {}).get("Arn", ""),
        card=described.get("ModelCard", {}).get("ModelCardContent", ""),
    )


def _uri(source: Mapping[str, Any], name: str) -> str:
    return str(source.get(name, {}).get("S3Uri", ""))
