"""AWS::Budgets. There are no costs here, so a budget never sends a notification."""

from typing import Any

from moto.budgets.models import budgets_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType

_READ = ("BudgetLimit", "BudgetName", "BudgetType", "TimeUnit")


class Budget(ResourceType):
    """AWS::Budgets::Budget."""

    type_name = "AWS::Budgets::Budget"
    emulated = frozenset({"Budget", "NotificationsWithSubscribers"})

    @property
    def _backend(self) -> Any:
        return budgets_backends[self.place.account][self.place.partition]

    def create(self, resource: Resource) -> None:
        """Create the budget with its notifications."""
        budget = {"BudgetName": resource.generated_name, **_budget(resource.properties)}
        notifications = list(resource.properties.get("NotificationsWithSubscribers", []))
        self._backend.create_budget(self.place.account, budget, notifications)
        resource.physical_id = budget["BudgetName"]

    def read(self, resource: Resource) -> Properties | None:
        """Return the budget and its notifications."""
        found = self._backend.budgets[self.place.account].get(resource.physical_id)
        if found is None:
            return None
        return {
            "Budget": {key: found.budget[key] for key in _READ if key in found.budget},
            "NotificationsWithSubscribers": [
                {"Notification": each.details, "Subscribers": each.subscribers}
                for each in found.notifications
            ],
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the budget."""
        found = self._backend.budgets[self.place.account][resource.physical_id]
        for name in before.get("Budget", {}).keys() - resource.properties["Budget"].keys() - {"BudgetName"}:
            found.budget.pop(name, None)
        found.budget.update(_budget(resource.properties))

    def delete(self, resource: Resource) -> None:
        """Delete the budget."""
        if resource.physical_id in self._backend.budgets[self.place.account]:
            self._backend.delete_budget(self.place.account, resource.physical_id)


def _budget(properties: Properties) -> dict[str, Any]:
    budget = dict(properties["Budget"])
    if "BudgetLimit" in budget:  # the API expects a string
        budget["BudgetLimit"] = {**budget["BudgetLimit"], "Amount": str(budget["BudgetLimit"]["Amount"])}
    return budget
