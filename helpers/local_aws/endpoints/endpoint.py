"""An endpoint, as the API describes it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from helpers.local_aws.api.response import Response, with_values
from helpers.local_aws.api.tags import Tags
from helpers.local_aws.endpoints.configurations import EndpointConfig
from helpers.local_aws.models.container import ModelContainer

EndpointStatus = Literal["Creating", "Updating", "InService", "Failed", "Deleting"]


@dataclass
class Deployment:
    """What an endpoint serves: its configuration, and its model as of the deployment."""

    config: EndpointConfig
    container: ModelContainer
    role_arn: str
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()


@dataclass
class Endpoint:
    """An endpoint."""

    name: str
    arn: str
    tags: Tags
    deployment: Deployment
    status: EndpointStatus = "Creating"
    failure_reason: str | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    settled: threading.Event = field(default_factory=threading.Event)
    """Set if no operation is in progress."""

    def settle(self, status: EndpointStatus, failure_reason: str | None = None) -> None:
        """Complete the operation in progress."""
        self.failure_reason = failure_reason
        self.modified = datetime.now(UTC)
        self.status = status
        self.settled.set()

    def description(self) -> Response:
        """Return the response of `DescribeEndpoint`."""
        return with_values(
            {
                **self.summary(),
                "EndpointConfigName": self.deployment.config.name,
                "ProductionVariants": [self._variant()] if self.status in {"InService", "Updating"} else None,
                "FailureReason": self.failure_reason,
            }
        )

    def summary(self) -> Response:
        """Return the summary in `ListEndpoints`."""
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }

    def _variant(self) -> dict[str, Any]:
        variant = self.deployment.config.variant
        weight, count = variant["InitialVariantWeight"], variant["InitialInstanceCount"]
        return {
            "VariantName": variant["VariantName"],
            "DeployedImages": [{"SpecifiedImage": self.deployment.container.image}],
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": count,
            "DesiredInstanceCount": count,
        }
