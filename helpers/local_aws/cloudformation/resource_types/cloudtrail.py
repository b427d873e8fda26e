"""AWS::CloudTrail. Trails record nothing here."""

from typing import Any

from moto.cloudtrail.models import cloudtrail_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType


class Trail(ResourceType):
    """AWS::CloudTrail::Trail."""

    type_name = "AWS::CloudTrail::Trail"
    emulated = frozenset(
        {"AdvancedEventSelectors", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}
        | {"EnableLogFileValidation", "EventSelectors", "IncludeGlobalServiceEvents"}
        | {"IsLogging", "IsMultiRegionTrail", "KMSKeyId", "S3BucketName", "S3KeyPrefix", "Tags", "TrailName"}
    )

    @property
    def _backend(self) -> Any:
        return cloudtrail_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the trail and start it."""
        properties = resource.properties
        trail = self._backend.create_trail(
            name=properties.get("TrailName", resource.generated_name),
            bucket_name=properties["S3BucketName"],
            is_global=properties.get("IncludeGlobalServiceEvents", True),
            is_multi_region=properties.get("IsMultiRegionTrail", False),
            log_validation=properties.get("EnableLogFileValidation", False),
            is_org_trail=properties.get("IsOrganizationTrail", False),
            tags_list=[],
            **_destinations(properties),
        )
        resource.physical_id = trail.trail_name
        resource.attributes = {"Arn": trail.arn, "SnsTopicArn": trail.topic_arn}
        self._start(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the settings of the trail."""
        trail = self._backend.trails.get(resource.physical_id)
        if trail is None:
            return None
        return {
            "AdvancedEventSelectors": trail.advanced_event_selectors,
            "CloudWatchLogsLogGroupArn": trail.cw_log_group_arn,
            "CloudWatchLogsRoleArn": trail.cw_role_arn,
            "EnableLogFileValidation": trail.log_validation,
            "IsLogging": trail.status.is_logging,
            "IsMultiRegionTrail": trail.is_multi_region,
            "KMSKeyId": trail.kms_key_id,
            "S3BucketName": trail.bucket_name,
            "S3KeyPrefix": trail.s3_key_prefix,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the settings; reset those that the template no longer sets."""
        properties = resource.properties
        trail = self._backend.update_trail(
            resource.physical_id,
            s3_bucket_name=properties["S3BucketName"],
            include_global_service_events=properties.get("IncludeGlobalServiceEvents", True),
            is_multi_region_trail=properties.get("IsMultiRegionTrail", False),
            enable_log_file_validation=properties.get("EnableLogFileValidation", False),
            is_organization_trail=properties.get("IsOrganizationTrail", False),
            **_destinations(properties),
        )
        trail.kms_key_id, trail.s3_key_prefix = properties.get("KMSKeyId"), properties.get("S3KeyPrefix")
        trail.cw_log_group_arn = properties.get("CloudWatchLogsLogGroupArn")
        trail.cw_role_arn = properties.get("CloudWatchLogsRoleArn")
        self._start(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the trail."""
        if resource.physical_id in self._backend.trails:
            self._backend.delete_trail(resource.physical_id)

    def _start(self, resource: Resource, before: Properties) -> None:
        backend, name, properties = self._backend, resource.physical_id, resource.properties
        backend.put_event_selectors(
            name,
            list(properties.get("EventSelectors", [])),
            list(properties.get("AdvancedEventSelectors", [])),
        )
        arn = resource.attributes["Arn"]
        if before.get("Tags"):
            backend.remove_tags(arn, list(before["Tags"]))
        backend.add_tags(arn, list(properties.get("Tags", [])))
        (backend.start_logging if properties["IsLogging"] else backend.stop_logging)(name)


def _destinations(properties: Properties) -> dict[str, Any]:
    return {
        "s3_key_prefix": properties.get("S3KeyPrefix"),
        "sns_topic_name": properties.get("SnsTopicName"),
        "cw_log_group_arn": properties.get("CloudWatchLogsLogGroupArn"),
        "cw_role_arn": properties.get("CloudWatchLogsRoleArn"),
        "kms_key_id": properties.get("KMSKeyId"),
    }
