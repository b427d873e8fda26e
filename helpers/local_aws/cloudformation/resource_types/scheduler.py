"""AWS::Scheduler."""

from datetime import UTC, datetime
from typing import Any

from moto.scheduler.models import scheduler_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType
from helpers.local_aws.events.event import TIME_FORMAT
from helpers.local_aws.events.pipeline_target import is_pipeline
from helpers.local_aws.events.schedule_expression import parse

_TARGET_MEMBERS = frozenset({"Arn", "RetryPolicy", "RoleArn", "SageMakerPipelineParameters"})


class Schedule(ResourceType):
    """AWS::Scheduler::Schedule with a pipeline as target, started at the beginning of a flexible window."""

    type_name = "AWS::Scheduler::Schedule"
    emulated = frozenset(
        {"Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name", "StartDate"}
        | {"ScheduleExpression", "ScheduleExpressionTimezone", "State"}
        | {f"Target.{name}" for name in _TARGET_MEMBERS}
    )

    @property
    def _backend(self) -> Any:
        return scheduler_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the schedule."""
        name = resource.properties.get("Name", resource.generated_name)
        settings = self._settings(resource.properties)
        found = self._backend.create_schedule(
            name=name,
            group_name=resource.properties.get("GroupName"),
            action_after_completion=None,
            **settings,
        )
        resource.physical_id = name
        resource.attributes["Arn"] = found.arn

    def read(self, resource: Resource) -> Properties | None:
        """Return the current schedule."""
        found = self._find(resource)
        if found is None:
            return None
        dates = {"StartDate": found.start_date, "EndDate": found.end_date}
        return {
            "Description": found.description,
            "FlexibleTimeWindow": found.flexible_time_window,
            "GroupName": found.group_name,
            "KmsKeyArn": found.kms_key_arn,
            "Name": found.name,
            "ScheduleExpression": found.schedule_expression,
            "ScheduleExpressionTimezone": found.schedule_expression_timezone,
            "State": found.state,
            "Target": {
                name: value
                for name, value in found.target.items()
                if name != "RetryPolicy" or "RetryPolicy" in resource.properties.get("Target", {})
            },
            **{name: _text(seconds) for name, seconds in dates.items()},
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the schedule."""
        self._backend.update_schedule(
            name=resource.physical_id,
            group_name=resource.properties.get("GroupName"),
            **self._settings(resource.properties),
        )

    def delete(self, resource: Resource) -> None:
        """Delete the schedule."""
        if self._find(resource) is not None:
            self._backend.delete_schedule(resource.properties.get("GroupName"), resource.physical_id)

    def _find(self, resource: Resource) -> Any:
        group = self._backend.schedule_groups.get(resource.properties.get("GroupName") or "default")
        return group.schedules.get(resource.physical_id) if group else None

    def _settings(self, properties: Properties) -> dict[str, Any]:
        target, expression = properties["Target"], properties["ScheduleExpression"]
        zone = properties.get("ScheduleExpressionTimezone") or "UTC"
        parse(expression, zone)  # raises ScheduleError
        if not is_pipeline(target):
            raise ValueError(f"The embedded AWS schedules pipelines only; the target is {target['Arn']}")
        return {
            "description": properties.get("Description"),
            "end_date": _seconds(properties.get("EndDate")),
            "flexible_time_window": properties["FlexibleTimeWindow"],
            "kms_key_arn": properties.get("KmsKeyArn"),
            "schedule_expression": expression,
            "schedule_expression_timezone": zone,
            "start_date": _seconds(properties.get("StartDate")),
            "state": properties.get("State") or "ENABLED",
            "target": dict(target),
        }


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _text(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime(TIME_FORMAT)
