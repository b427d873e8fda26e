"""Models: created by `CreateModel`, with their operations."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.access.reading import reading_problem
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.tags import Tags, checked_tags
from helpers.local_aws.models.container import ModelContainer, container_of_package, own_container
from helpers.local_aws.models.request_checks import MEMBERS, request_problems
from helpers.local_aws.registry.packages import ModelPackages
from helpers.local_aws.service_clients import ServiceClients
from helpers.s3 import parse

_LISTING = Listing("Models", "ModelName", default_order="Descending")


@dataclass
class Model:
    """A model."""

    name: str
    arn: str
    request: Mapping[str, Any]
    container: ModelContainer
    tags: Tags
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def description(self) -> Response:
        """Return the response of `DescribeModel`."""
        request = {key: value for key, value in self.request.items() if key != "Tags" and value is not None}
        return {"EnableNetworkIsolation": False, **request, **self.summary()}

    def summary(self) -> Response:
        """Return the summary in `ListModels`."""
        return {"ModelName": self.name, "ModelArn": self.arn, "CreationTime": self.created}


class Models:
    """The models of one region."""

    def __init__(self, clients: ServiceClients, region: str, packages: ModelPackages):
        self._clients = clients
        self._region = region
        self._packages = packages
        self._lock = threading.Lock()
        self._models: dict[str, Model] = {}

    def operations(self) -> Operations:
        """Return the operations by name."""
        name = members("ModelName")
        return {
            "CreateModel": Operation(self.create, MEMBERS, wants_caller=True),
            "DescribeModel": Operation(lambda request: self.find(request["ModelName"]).description(), name),
            "ListModels": Operation(self.list_models, _LISTING.members),
            "DeleteModel": Operation(self.delete, name, wants_caller=True),
        }

    def state(self) -> Mapping[str, Model]:
        """Return the models, for another server to restore."""
        return self._models

    def restore(self, state: Mapping[str, Model]) -> None:
        """Restore the models of a stopped server."""
        self._models.update(state)

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Create a model from artifacts and an image, or from an approved model package."""
        if problems := list(request_problems(request)):
            raise ApiError("ValidationException", "; ".join(problems))
        definition, role_arn = request["PrimaryContainer"], request["ExecutionRoleArn"]
        tags = checked_tags(request)
        package = definition.get("ModelPackageName")
        container = (
            container_of_package(definition, self._packages.find(package))
            if package
            else own_container(definition)
        )
        name = request["ModelName"]
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:model/{name.lower()}"
        vpc = request.get("VpcConfig") or {}
        creation = Creation(
            "sagemaker:CreateModel",
            f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:model/{name}",
            role_arn=role_arn,
            subnets=vpc.get("Subnets") or (),
            security_groups=vpc.get("SecurityGroupIds") or (),
            isolated=request.get("EnableNetworkIsolation"),
            tags=tags,
        )
        authorize_creation(creation, self._region, caller)
        if container.model_data_url:
            self._check_model_data(container.model_data_url, role_arn)
        with self._lock:
            if name.lower() in self._models:
                raise ApiError("ValidationException", f'Cannot create already existing model "{arn}".')
            self._models[name.lower()] = Model(name, arn, request, container, tags)
        return {"ModelArn": arn}

    def list_models(self, request: Request) -> Response:
        """Return the models of the region, newest first by default."""
        return _LISTING.page([model.summary() for model in list(self._models.values())], request)

    def delete(self, request: Request, caller: str | None = None) -> Response:
        """Delete a model. Its artifacts are kept."""
        model = self.find(request["ModelName"])
        authorize_action(caller, "sagemaker:DeleteModel", model.arn)
        with self._lock:
            self._models.pop(model.name.lower(), None)
        return {}

    def find(self, name: str) -> Model:
        """Return a model by name.

        Raises:
            ApiError: ValidationException, which the service returns if the model does not exist.
        """
        try:
            return self._models[name.lower()]
        except KeyError:
            arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:model/{name.lower()}"
            raise ApiError("ValidationException", f'Could not find model "{arn}".') from None

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the model with an ARN, or None."""
        return next((model.tags for model in list(self._models.values()) if model.arn == arn.lower()), None)

    def _check_model_data(self, url: str, role_arn: str) -> None:
        problem = reading_problem(self._clients.of("s3", self._region), parse(url), role_arn, self._region)
        if problem:
            raise ApiError(
                "ValidationException",
                f'Could not access model data at {url}. Please ensure that the role "{role_arn}" exists and '
                'that its trust relationship policy allows the action "sts:AssumeRole" for the service '
                'principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" '
                f"permissions and that the object is located in {self._region}. ({problem})",
            )
