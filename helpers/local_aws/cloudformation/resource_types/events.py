"""AWS::Events."""

import json
from typing import Any

from moto.events.models import events_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType
from helpers.local_aws.events.schedule_expression import parse


class Rule(ResourceType):
    """AWS::Events::Rule."""

    type_name = "AWS::Events::Rule"
    emulated = frozenset(
        {"Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State"}
        | {"Tags", "Targets"}
    )

    @property
    def _backend(self) -> Any:
        return events_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the rule with its targets."""
        name = resource.properties.get("Name", resource.generated_name)
        if name in self._rules(resource.properties):
            raise ValueError(f"{name} already exists")
        resource.physical_id = name
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the current rule with its targets."""
        rule = self._rules(resource.properties).get(resource.physical_id)
        if rule is None:
            return None
        pattern = rule.event_pattern.dump()
        return {
            "Description": rule.description,
            "EventPattern": json.loads(pattern) if pattern else {},
            "ScheduleExpression": rule.scheduled_expression,
            "State": rule.state,
            "Targets": rule.targets,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the rule; keep targets that were added otherwise."""
        properties, name = resource.properties, resource.physical_id
        bus = properties.get("EventBusName", "default")
        pattern = properties.get("EventPattern")
        if expression := properties.get("ScheduleExpression"):
            parse(expression, once=False)  # raises ScheduleError
        rule = self._backend.put_rule(
            name,
            description=properties.get("Description"),
            event_bus_arn=bus,
            event_pattern=json.dumps(pattern) if pattern else None,
            role_arn=properties.get("RoleArn"),
            scheduled_expression=properties.get("ScheduleExpression"),
            state=properties.get("State"),
        )
        resource.attributes["Arn"] = rule.arn
        targets = list(properties.get("Targets", []))
        gone = {each["Id"] for each in before.get("Targets", [])} - {each["Id"] for each in targets}
        self._backend.remove_targets(name, bus, sorted(gone))
        self._backend.put_targets(name, bus, targets)
        if before.get("Tags"):
            self._backend.untag_resource(rule.arn, [tag["Key"] for tag in before["Tags"]])
        self._backend.tag_resource(rule.arn, resource.tags)

    def delete(self, resource: Resource) -> None:
        """Delete the rule with its targets."""
        self._rules(resource.properties).pop(resource.physical_id, None)

    def _rules(self, properties: Properties) -> Any:
        bus = properties.get("EventBusName", "default").rsplit("/", 1)[-1]
        return self._backend.event_buses[bus].rules
