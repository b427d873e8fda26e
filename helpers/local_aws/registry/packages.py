"""Model packages: created by `CreateModelPackage`, with their approval and operations."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.registry.groups import ModelPackageGroup, ModelPackageGroups
from helpers.local_aws.registry.model_card import card_problems
from helpers.local_aws.registry.model_data import model_data_etag
from helpers.local_aws.registry.model_package import ModelPackage, user_context
from helpers.local_aws.registry.package_checks import MEMBERS, request_problems
from helpers.local_aws.service_clients import ServiceClients

_PENDING = "PendingManualApproval"
_MAX_PROPERTIES = 50
_NOT_KEPT = frozenset({"ClientToken", "Tags"})
_LISTING = Listing(
    "ModelPackageSummaryList",
    "ModelPackageGroupName",
    equal={"ModelApprovalStatus": "ModelApprovalStatus"},
)


class ModelPackages:
    """The versioned model packages of one region, which are stored in its groups."""

    def __init__(
        self,
        clients: ServiceClients,
        groups: ModelPackageGroups,
        on_change: Callable[[ModelPackage], object],
    ):
        """Args: on_change: called after a package was registered, approved, rejected or changed."""
        self._clients = clients
        self._groups = groups
        self._on_change = on_change

    def operations(self) -> Operations:
        """Return the operations by name."""
        return {
            "CreateModelPackage": Operation(self.create, MEMBERS, wants_caller=True),
            "DescribeModelPackage": Operation(
                lambda request: self.find(request["ModelPackageName"]).description(),
                members("ModelPackageName"),
            ),
            "ListModelPackages": Operation(
                self.list_packages, _LISTING.members | members("ModelPackageGroupName", "ModelPackageType")
            ),
            "UpdateModelPackage": Operation(
                self.update,
                members(
                    *("ApprovalDescription", "ClientToken", "CustomerMetadataProperties"),
                    *("CustomerMetadataPropertiesToRemove", "ModelApprovalStatus", "ModelCard"),
                    *("ModelPackageArn", "SourceUri"),
                ),
                wants_caller=True,
            ),
            "DeleteModelPackage": Operation(self.delete, members("ModelPackageName"), wants_caller=True),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Register the next version in a group; for a known client token, return the existing version."""
        if problems := list(request_problems(request)):
            raise ApiError("ValidationException", "; ".join(problems))
        group = self._groups.find(request)
        content = {key: value for key, value in request.items() if key not in _NOT_KEPT and value is not None}
        content["ModelPackageGroupName"] = group.name
        content["ModelApprovalStatus"] = status = request.get("ModelApprovalStatus") or _PENDING
        self._add_etags(content)
        with self._groups.lock:
            version, token = group.last_version + 1, request.get("ClientToken")
            if token in group.tokens:
                return {"ModelPackageArn": group.tokens[token]}
            arn = f"arn:aws:sagemaker:{self._groups.region}:{ACCOUNT}:model-package/{group.name}/{version}"
            for resource in (arn, group.arn):
                keys = {"sagemaker:ModelApprovalStatus": status}
                creation = Creation("sagemaker:CreateModelPackage", resource, condition_keys=keys)
                authorize_creation(creation, self._groups.region, caller)
            group.packages[version] = ModelPackage(group.name, version, arn, content, user_context(caller))
            group.last_version = version
            if token:
                group.tokens[token] = arn
        self._on_change(group.packages[version])
        return {"ModelPackageArn": arn}

    def list_packages(self, request: Request) -> Response:
        """Return packages, oldest first by default.

        Without a group, AWS lists unversioned packages unless a type is given; there are none here.
        """
        name, kind = request.get("ModelPackageGroupName"), request.get("ModelPackageType") or "Unversioned"
        groups: list[ModelPackageGroup] = []
        if name:
            groups = [self._groups.find(request)]
        elif kind != "Unversioned":
            groups = list(self._groups.all())
        summaries = [package.summary() for group in groups for package in list(group.packages.values())]
        if request.get("SortBy") != "Name":
            summaries.sort(key=lambda summary: int(summary["ModelPackageVersion"]))
        return _LISTING.page(summaries, request)

    def update(self, request: Request, caller: str | None = None) -> Response:
        """Approve or reject a package, or change its properties."""
        package = self.find(request["ModelPackageArn"])
        status = request.get("ModelApprovalStatus")
        keys = {"sagemaker:ModelApprovalStatus": status} if status else {}
        authorize_action(caller, "sagemaker:UpdateModelPackage", package.arn, keys)
        card = request.get("ModelCard")
        if card and (problems := list(card_problems(card))):
            raise ApiError("ValidationException", "; ".join(problems))
        with self._groups.lock:
            changed = {
                name: request[name]
                for name in ("ModelApprovalStatus", "ApprovalDescription", "SourceUri")
                if request.get(name) is not None
            }
            if card:  # status and content are changed one without the other
                changed["ModelCard"] = {**(package.content.get("ModelCard") or {}), **card}
            properties = _properties(package.content.get("CustomerMetadataProperties") or {}, request)
            package.content.update(changed, CustomerMetadataProperties=properties or None)
            package.modified, package.modified_by = datetime.now(UTC), user_context(caller)
        self._on_change(package)
        return {"ModelPackageArn": package.arn}

    def delete(self, request: Request, caller: str | None = None) -> Response:
        """Delete a version."""
        package = self.find(request["ModelPackageName"])
        authorize_action(caller, "sagemaker:DeleteModelPackage", package.arn)
        with self._groups.lock:
            group = self._groups.find({"ModelPackageGroupName": package.group_name})
            group.packages.pop(package.version, None)
        return {}

    def find(self, name_or_arn: str) -> ModelPackage:
        """Return a package by its ARN, or by its end `group/version`.

        Raises:
            ApiError: ValidationException, which the registry returns if the package does not exist.
        """
        for group in self._groups.all():
            for package in list(group.packages.values()):
                if name_or_arn in {package.arn, f"{package.group_name}/{package.version}"}:
                    return package
        raise ApiError("ValidationException", f"ModelPackage {name_or_arn} does not exist.")

    def _add_etags(self, content: dict[str, Any]) -> None:
        """Add the ETag of each container's model data, which must exist."""
        specification = content.get("InferenceSpecification")
        if not specification:
            return
        s3 = self._clients.of("s3", self._groups.region)
        containers = [
            {**container, "ModelDataETag": model_data_etag(s3, container["ModelDataUrl"])}
            if container.get("ModelDataUrl")
            else container
            for container in specification["Containers"]
        ]
        content["InferenceSpecification"] = {**specification, "Containers": containers}


def _properties(properties: Mapping[str, str], request: Request) -> dict[str, str]:
    """Return the CustomerMetadataProperties after an update."""
    removed = request.get("CustomerMetadataPropertiesToRemove") or []
    kept = {key: value for key, value in properties.items() if key not in removed}
    found = {**kept, **(request.get("CustomerMetadataProperties") or {})}
    if len(found) > _MAX_PROPERTIES:
        raise ApiError(
            "ValidationException", f"A model package has at most {_MAX_PROPERTIES} CustomerMetadataProperties"
        )
    return found
