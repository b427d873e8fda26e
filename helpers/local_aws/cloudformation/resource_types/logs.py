"""AWS::Logs."""

from typing import Any

from moto.logs.models import logs_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType


class LogGroup(ResourceType):
    """AWS::Logs::LogGroup."""

    type_name = "AWS::Logs::LogGroup"
    emulated = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})

    @property
    def _backend(self) -> Any:
        return logs_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the log group."""
        name = resource.properties.get("LogGroupName", resource.generated_name)
        self._backend.create_log_group(name, {})
        resource.physical_id = name
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the key and the retention."""
        group = self._backend.groups.get(resource.physical_id)
        if group is None:
            return None
        return {"KmsKeyId": group.kms_key_id, "RetentionInDays": group.retention_in_days}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the key, the retention and the tags."""
        group = self._backend.groups[resource.physical_id]
        group.kms_key_id = resource.properties.get("KmsKeyId")
        group.retention_in_days = resource.properties.get("RetentionInDays")
        self._backend.untag_resource(group.arn, [tag["Key"] for tag in before.get("Tags", [])])
        self._backend.tag_resource(group.arn, resource.tags)

    def delete(self, resource: Resource) -> None:
        """Delete the log group with its streams."""
        if resource.physical_id in self._backend.groups:
            self._backend.delete_log_group(resource.physical_id)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return the ARN with the suffix `:*`, as policies that allow writing need it."""
        arn = self._backend.groups[resource.physical_id].arn
        return {"Arn": f"{arn.removesuffix(':*')}:*"}[name]
