"""AWS::CloudWatch."""

from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType


class Dashboard(ResourceType):
    """AWS::CloudWatch::Dashboard."""

    type_name = "AWS::CloudWatch::Dashboard"
    emulated = frozenset({"DashboardBody", "DashboardName"})

    @property
    def _backend(self) -> Any:
        return cloudwatch_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the dashboard."""
        name = resource.properties.get("DashboardName", resource.generated_name)
        if name in self._backend.dashboards:
            raise ValueError(f"{name} already exists")
        resource.physical_id = name
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the dashboard body."""
        found = self._backend.dashboards.get(resource.physical_id)
        return None if found is None else {"DashboardBody": found.body}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the dashboard body."""
        self._backend.put_dashboard(name=resource.physical_id, body=resource.properties["DashboardBody"])

    def delete(self, resource: Resource) -> None:
        """Delete the dashboard."""
        if resource.physical_id in self._backend.dashboards:
            self._backend.delete_dashboards([resource.physical_id])
