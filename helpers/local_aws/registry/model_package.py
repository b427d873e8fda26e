"""A version of a model in the registry."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.access.principals import ACCOUNT_ROOT, find_principal
from helpers.local_aws.api.response import Response, with_values

APPROVED = "Approved"


def user_context(caller: str | None) -> Response:
    """Return the caller in the form of `CreatedBy` and `LastModifiedBy`; None is the account itself."""
    principal = find_principal(caller or ACCOUNT_ROOT)
    return {"IamIdentity": {"Arn": principal.user if principal else caller}}


@dataclass
class ModelPackage:
    """A model package in a group."""

    group_name: str
    version: int
    arn: str
    content: dict[str, Any]
    """The members of the create request, with the changes of updates."""
    created_by: Response
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime | None = None
    modified_by: Response | None = None

    @property
    def approval_status(self) -> str:
        """`Approved`, `Rejected` or `PendingManualApproval`."""
        return str(self.content["ModelApprovalStatus"])

    def description(self) -> Response:
        """Return the response of `DescribeModelPackage`; a versioned package has no ModelPackageName."""
        return with_values(
            {
                **self.content,
                **self.summary(),
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "CertifyForMarketplace": False,
                "CreatedBy": self.created_by,
                "LastModifiedTime": self.modified,
                "LastModifiedBy": self.modified_by,
            }
        )

    def summary(self) -> Response:
        """Return the summary in `ListModelPackages`."""
        return with_values(
            {
                "ModelPackageGroupName": self.group_name,
                "ModelPackageVersion": self.version,
                "ModelPackageArn": self.arn,
                "ModelPackageDescription": self.content.get("ModelPackageDescription"),
                "CreationTime": self.created,
                "ModelPackageStatus": "Completed",
                "ModelApprovalStatus": self.approval_status,
            }
        )
