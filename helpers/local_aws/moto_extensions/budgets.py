"""AWS Budgets."""

import json

from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse


# moto's classes have no types, so the base of their subclasses is Any.
class BudgetsExtension(BudgetsResponse):  # type: ignore[misc]
    """The responses, with an operation that moto lacks."""

    def describe_subscribers_for_notification(self) -> str:
        """Return the subscribers of a notification."""
        name, notification = self._get_param("BudgetName"), self._get_param("Notification")
        budget = self.backend.budgets[self._get_param("AccountId")].get(name)
        for each in budget.notifications if budget else []:
            if each.details == notification:
                return json.dumps({"Subscribers": each.subscribers})
        raise NotFoundException(f"Unable to find the notification of the budget {name}.")
