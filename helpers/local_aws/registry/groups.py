"""Model package groups and their operations."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response, with_values
from helpers.local_aws.api.tags import Tags, checked_tags
from helpers.local_aws.regional import Regional
from helpers.local_aws.registry.model_package import ModelPackage, user_context

_LISTING = Listing("ModelPackageGroupSummaryList", "ModelPackageGroupName")


@dataclass
class ModelPackageGroup:
    """A group with the versions of its model."""

    name: str
    arn: str
    description: str | None
    tags: Tags
    created_by: Response
    policy: str | None = None
    packages: dict[int, ModelPackage] = field(default_factory=dict)
    last_version: int = 0
    """The highest version so far; the number of a deleted version is not reused."""
    tokens: dict[str, str] = field(default_factory=dict)
    """ARNs of packages by the client tokens that created them."""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def describe(self) -> Response:
        """Return the response of `DescribeModelPackageGroup`."""
        return {**self.summary(), "CreatedBy": self.created_by}

    def summary(self) -> Response:
        """Return the summary in `ListModelPackageGroups`."""
        return with_values(
            {
                "ModelPackageGroupName": self.name,
                "ModelPackageGroupArn": self.arn,
                "ModelPackageGroupDescription": self.description,
                "CreationTime": self.created,
                "ModelPackageGroupStatus": "Completed",
            }
        )


class ModelPackageGroups:
    """The groups of one region."""

    def __init__(self, region: str):
        self.region = region
        self.lock = threading.RLock()
        """Held during changes to the groups and their packages."""
        self._groups: dict[str, ModelPackageGroup] = {}

    def operations(self) -> Operations:
        """Return the operations by name."""
        name = members("ModelPackageGroupName")
        return {
            "CreateModelPackageGroup": Operation(
                self.create, name | members("ModelPackageGroupDescription", "Tags"), wants_caller=True
            ),
            "DescribeModelPackageGroup": Operation(lambda request: self.find(request).describe(), name),
            "ListModelPackageGroups": Operation(self.list_groups, _LISTING.members),
            "DeleteModelPackageGroup": Operation(self.delete, name),
            "PutModelPackageGroupPolicy": Operation(self.put_policy, name | members("ResourcePolicy")),
            "GetModelPackageGroupPolicy": Operation(self.get_policy, name),
            "DeleteModelPackageGroupPolicy": Operation(self.delete_policy, name),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Create an empty group."""
        name, tags = request["ModelPackageGroupName"], checked_tags(request)
        arn = self._arn(name)
        authorize_creation(Creation("sagemaker:CreateModelPackageGroup", arn, tags=tags), self.region, caller)
        with self.lock:
            if name in self._groups:
                raise ApiError("ValidationException", f"Model Package Group already exists: {arn}")
            description = request.get("ModelPackageGroupDescription")
            self._groups[name] = ModelPackageGroup(name, arn, description, tags, user_context(caller))
        return {"ModelPackageGroupArn": arn}

    def list_groups(self, request: Request) -> Response:
        """Return the groups of the region, oldest first by default."""
        return _LISTING.page([group.summary() for group in self.all()], request)

    def delete(self, request: Request) -> Response:
        """Delete an empty group."""
        group = self.find(request)
        with self.lock:
            if group.packages:
                raise ApiError(
                    "ConflictException",
                    f"Model Package Group {group.arn} cannot be deleted because it still contains Model "
                    "Packages; delete them first",
                )
            del self._groups[group.name]
        return {}

    def put_policy(self, request: Request) -> Response:
        """Attach a resource policy to a group. It is stored, but not evaluated: there is only one account."""
        group, policy = self.find(request), request["ResourcePolicy"]
        try:
            is_object = isinstance(json.loads(policy), dict)
        except ValueError:
            is_object = False
        if not is_object:
            raise ApiError("ValidationException", "ResourcePolicy must be a JSON policy document")
        group.policy = policy
        return {"ModelPackageGroupArn": group.arn}

    def get_policy(self, request: Request) -> Response:
        """Return the resource policy of a group."""
        group = self.find(request)
        if group.policy is None:
            raise ApiError("ValidationException", f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.policy}

    def delete_policy(self, request: Request) -> Response:
        """Detach the resource policy of a group."""
        self.find(request).policy = None
        return {}

    def all(self) -> Iterator[ModelPackageGroup]:
        """Yield all groups."""
        yield from list(self._groups.values())

    def find(self, request: Request) -> ModelPackageGroup:
        """Return a group by its name or ARN.

        Raises:
            ApiError: ValidationException, which the registry returns if the group does not exist.
        """
        given = str(request["ModelPackageGroupName"])
        name = given.rpartition("/")[2]
        group = self._groups.get(name)
        if group is None or given not in {name, group.arn}:
            arn = given if given.startswith("arn:") else self._arn(name)
            raise ApiError("ValidationException", f"ModelPackageGroup {arn} does not exist.")
        return group

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the group with an ARN, or None."""
        return next((group.tags for group in self.all() if group.arn == arn), None)

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:model-package-group/{name}"


MODEL_PACKAGE_GROUPS = Regional(ModelPackageGroups)
"""Shared by the API and CloudFormation."""
