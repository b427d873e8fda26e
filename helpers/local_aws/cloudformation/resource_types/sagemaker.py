"""AWS::SageMaker: Studio and model package groups, through their API."""

import json
from typing import Any

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType, as_text
from helpers.local_aws.registry.groups import MODEL_PACKAGE_GROUPS, ModelPackageGroups
from helpers.local_aws.studio import STUDIOS, Studio


class _Studio(ResourceType):
    @property
    def _studio(self) -> Studio:
        return STUDIOS.of(self.place.region)


class Domain(_Studio):
    """AWS::SageMaker::Domain."""

    type_name = "AWS::SageMaker::Domain"
    emulated = frozenset(
        {"AppNetworkAccessType", "AuthMode", "DefaultUserSettings", "DomainName", "DomainSettings"}
        | {"KmsKeyId", "SubnetIds", "Tags", "VpcId"}
    )

    def create(self, resource: Resource) -> None:
        """Create the domain, and the resources that SageMaker creates for it."""
        resource.physical_id = self._studio.create_domain(resource.properties)["DomainId"]

    def read(self, resource: Resource) -> Properties | None:
        """Return the domain as the API describes it."""
        try:
            return self._studio.describe_domain({"DomainId": resource.physical_id})
        except ApiError:
            return None

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the settings."""
        self._studio.update_domain({**resource.properties, "DomainId": resource.physical_id})

    def delete(self, resource: Resource) -> None:
        """Delete the domain; as on AWS, its file system and its security groups remain."""
        if self.read(resource) is not None:
            self._studio.delete_domain({"DomainId": resource.physical_id})

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a member of the API's description."""
        return self._studio.describe_domain({"DomainId": resource.physical_id})[name]

    def may_stay(self, before: Properties, after: Properties) -> bool:
        """Return whether the domain had no VPC; a domain cannot change its VPC."""
        return "VpcId" not in before


class UserProfile(_Studio):
    """AWS::SageMaker::UserProfile."""

    type_name = "AWS::SageMaker::UserProfile"
    emulated = frozenset({"DomainId", "Tags", "UserProfileName", "UserSettings"})

    def create(self, resource: Resource) -> None:
        """Create the profile in its domain."""
        self._call("Create", resource, resource.properties)
        resource.physical_id = resource.properties["UserProfileName"]

    def read(self, resource: Resource) -> Properties | None:
        """Return the profile as the API describes it."""
        try:
            return self._call("Describe", resource)
        except ApiError:
            return None

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the settings."""
        self._call("Update", resource, {"UserSettings": resource.properties.get("UserSettings", {})})

    def delete(self, resource: Resource) -> None:
        """Delete the profile."""
        if self.read(resource) is not None:
            self._call("Delete", resource)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a member of the API's description."""
        return (self._call("Describe", resource) or {})[name]

    def _call(self, verb: str, resource: Resource, members: Properties | None = None) -> Properties | None:
        names = {key: resource.properties[key] for key in ("DomainId", "UserProfileName")}
        return self._studio.operations()[f"{verb}UserProfile"]({**(members or {}), **names})


class ModelPackageGroup(ResourceType):
    """AWS::SageMaker::ModelPackageGroup. As on AWS, a group with packages cannot be deleted."""

    type_name = "AWS::SageMaker::ModelPackageGroup"
    emulated = frozenset(
        {"ModelPackageGroupDescription", "ModelPackageGroupName", "ModelPackageGroupPolicy", "Tags"}
    )

    @property
    def _groups(self) -> ModelPackageGroups:
        return MODEL_PACKAGE_GROUPS.of(self.place.region)

    def create(self, resource: Resource) -> None:
        """Create the group."""
        names = ("ModelPackageGroupName", "ModelPackageGroupDescription", "Tags")
        request = {name: resource.properties[name] for name in names if name in resource.properties}
        resource.physical_id = self._groups.create(request)["ModelPackageGroupArn"]
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the group as the API describes it, with its policy."""
        try:
            group = self._groups.find(_of_group(resource))
        except ApiError:
            return None
        policy = None if group.policy is None else json.loads(group.policy)
        return {**group.describe(), "ModelPackageGroupPolicy": policy}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the policy and the tags."""
        group = self._groups.find(_of_group(resource))
        policy = resource.properties.get("ModelPackageGroupPolicy")
        group.policy = None if policy is None else as_text(policy)
        group.tags[:] = [dict(tag) for tag in resource.properties.get("Tags", [])]

    def delete(self, resource: Resource) -> None:
        """Delete the group."""
        if self.read(resource) is not None:
            self._groups.delete(_of_group(resource))

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a member of the API's description."""
        return self._groups.find(_of_group(resource)).describe()[name]


def _of_group(resource: Resource) -> dict[str, str]:
    return {"ModelPackageGroupName": resource.physical_id}
