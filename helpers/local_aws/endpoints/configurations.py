"""Endpoint configurations: created by `CreateEndpointConfig`, with their operations."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.tags import Tags, checked_tags
from helpers.local_aws.endpoints.request_checks import CONFIG_MEMBERS, config_not_emulated, config_problems
from helpers.local_aws.models.models import Models

_LISTING = Listing("EndpointConfigs", "EndpointConfigName", default_order="Descending")


@dataclass
class EndpointConfig:
    """An endpoint configuration with one production variant."""

    name: str
    arn: str
    request: Mapping[str, Any]
    tags: Tags
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def variant(self) -> Mapping[str, Any]:
        """The only variant."""
        (variant,) = self.request["ProductionVariants"]
        found: Mapping[str, Any] = {"InitialVariantWeight": 1.0, **variant}
        return found

    def description(self) -> Response:
        """Return the response of `DescribeEndpointConfig`."""
        request = {key: value for key, value in self.request.items() if key != "Tags" and value is not None}
        return {**request, "ProductionVariants": [dict(self.variant)], **self.summary()}

    def summary(self) -> Response:
        """Return the summary in `ListEndpointConfigs`."""
        return {
            "EndpointConfigName": self.name,
            "EndpointConfigArn": self.arn,
            "CreationTime": self.created,
        }


class EndpointConfigs:
    """The endpoint configurations of one region."""

    def __init__(self, region: str, models: Models):
        self._region = region
        self._models = models
        self._lock = threading.Lock()
        self._configs: dict[str, EndpointConfig] = {}

    def operations(self) -> Operations:
        """Return the operations by name."""
        name = members("EndpointConfigName")
        return {
            "CreateEndpointConfig": Operation(self.create, CONFIG_MEMBERS, wants_caller=True),
            "DescribeEndpointConfig": Operation(
                lambda request: self.find(request["EndpointConfigName"]).description(), name
            ),
            "ListEndpointConfigs": Operation(self.list_configs, _LISTING.members),
            "DeleteEndpointConfig": Operation(self.delete, name, wants_caller=True),
        }

    def state(self) -> Mapping[str, EndpointConfig]:
        """Return the configurations, for another server to restore."""
        return self._configs

    def restore(self, state: Mapping[str, EndpointConfig]) -> None:
        """Restore the configurations of a stopped server."""
        self._configs.update(state)

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Create a configuration, whose model must exist."""
        problems = list(config_problems(request))
        problems += [f"The embedded AWS does not support {what}" for what in config_not_emulated(request)]
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        name, tags = request["EndpointConfigName"], checked_tags(request)
        (variant,) = request["ProductionVariants"]
        model = self._models.find(variant["ModelName"])
        creation = Creation(
            "sagemaker:CreateEndpointConfig",
            f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint-config/{name}",
            volume_key=request.get("KmsKeyId"),
            instance_types=[variant["InstanceType"]],
            tags=tags,
            condition_keys={"sagemaker:ModelArn": model.arn},
        )
        authorize_creation(creation, self._region, caller)
        with self._lock:
            if name.lower() in self._configs:
                raise ApiError(
                    "ValidationException",
                    f'Cannot create already existing endpoint configuration "{self._arn(name)}".',
                )
            found = self._configs[name.lower()] = EndpointConfig(name, self._arn(name), request, tags)
        return {"EndpointConfigArn": found.arn}

    def list_configs(self, request: Request) -> Response:
        """Return the configurations of the region, newest first by default."""
        return _LISTING.page([config.summary() for config in list(self._configs.values())], request)

    def delete(self, request: Request, caller: str | None = None) -> Response:
        """Delete a configuration. Endpoints that use it are unaffected."""
        config = self.find(request["EndpointConfigName"])
        authorize_action(caller, "sagemaker:DeleteEndpointConfig", config.arn)
        with self._lock:
            self._configs.pop(config.name.lower(), None)
        return {}

    def find(self, name: str) -> EndpointConfig:
        """Return a configuration by name.

        Raises:
            ApiError: ValidationException, which the service returns if the configuration does not exist.
        """
        try:
            return self._configs[name.lower()]
        except KeyError:
            message = f'Could not find endpoint configuration "{self._arn(name)}".'
            raise ApiError("ValidationException", message) from None

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the configuration with an ARN, or None."""
        return next((each.tags for each in list(self._configs.values()) if each.arn == arn.lower()), None)

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint-config/{name.lower()}"
