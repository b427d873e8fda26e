"""AWS::SageMaker: Studio, as its API makes it."""

from typing import Any

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType
from helpers.local_aws.studio import Studio, studio_of


class _Studio(ResourceType):
    @property
    def _studio(self) -> Studio:
        return studio_of(self.place.region)


class Domain(_Studio):
    """AWS::SageMaker::Domain."""

    type_name = "AWS::SageMaker::Domain"
    emulated = frozenset(
        {"AppNetworkAccessType", "AuthMode", "DefaultUserSettings", "DomainName", "DomainSettings"}
        | {"KmsKeyId", "SubnetIds", "Tags", "VpcId"}
    )

    def create(self, resource: Resource) -> None:
        """Create the domain, and what SageMaker makes for it."""
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
        """Delete the domain; as on AWS its file system and its security groups stay."""
        if self.read(resource) is not None:
            self._studio.delete_domain({"DomainId": resource.physical_id})

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a member of the API's description."""
        return self._studio.describe_domain({"DomainId": resource.physical_id})[name]

    def may_stay(self, before: Properties, after: Properties) -> bool:
        """Return whether the domain had no VPC; it does not move from one to another."""
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
