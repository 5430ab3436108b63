"""moto's budgets, which can be changed, with the subscribers of each notification and tags."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.budgets.models import Budget, Notification
from moto.budgets.models import BudgetsBackend as MotoBudgetsBackend
from moto.core.utils import unix_time
from moto.utilities.tagging_service import TaggingService

from infra.localcloud.actions import AwsError
from infra.localcloud.install import Context


class BudgetsBackend(MotoBudgetsBackend):
    """The budgets of one account."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagging = TaggingService("ResourceTags")

    def budget(self, account: str, name: str) -> Budget:
        """The budget with this name.

        Raises:
            AwsError: There is none.
        """
        if name not in self.budgets[account]:
            raise AwsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
        return self.budgets[account][name]

    def notification(self, account: str, name: str, details: dict[str, Any]) -> Notification:
        """The notification of a budget with the same type, operator, threshold and threshold type.

        Raises:
            AwsError: There is none.
        """
        for known in self.budget(account, name).notifications:
            if _identity(known.details) == _identity(details):
                return known
        raise AwsError("NotFoundException", "Unable to find the notification - it doesn't exist.")

    def create_notification(
        self, account_id: str, budget_name: str, notification: dict[str, Any], subscribers: Any
    ) -> None:
        """CreateNotification.

        Raises:
            AwsError: The budget has it already.
        """
        known = self.budget(account_id, budget_name).notifications
        if any(_identity(one.details) == _identity(notification) for one in known):
            raise AwsError("DuplicateRecordException", "Error creating notification - it already exists.")
        super().create_notification(account_id, budget_name, notification, subscribers)

    def delete_notification(self, account_id: str, budget_name: str, notification: dict[str, Any]) -> None:
        """DeleteNotification."""
        found = self.notification(account_id, budget_name, notification)
        self.budget(account_id, budget_name).notifications.remove(found)

    def update_budget(self, account: str, new: dict[str, Any]) -> None:
        """UpdateBudget: the new budget replaces the old one; its notifications stay."""
        known = self.budget(account, new["BudgetName"])
        notifications = known.notifications
        replaced = Budget({"TimePeriod": known.budget["TimePeriod"], **new}, [])
        replaced.notifications = notifications
        replaced.budget["LastUpdatedTime"] = unix_time()
        self.budgets[account][new["BudgetName"]] = replaced

    def delete_budget(self, account_id: str, budget_name: str) -> None:
        """DeleteBudget, with its notifications and tags."""
        super().delete_budget(account_id, budget_name)
        self.tagging.delete_all_tags_for_resource(self.arn(account_id, budget_name))

    def arn(self, account: str, name: str) -> str:
        """The budget's ARN."""
        return f"arn:aws:budgets::{account}:budget/{name}"

    def tagged(self, arn: str) -> str:
        """The ARN, if it is that of a budget.

        Raises:
            AwsError: It is not.
        """
        self.budget(arn.split(":")[4], arn.split(":budget/", 1)[-1])
        return arn


def _identity(details: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a budget's notifications apart; the threshold is a percentage if nothing is said."""
    return (
        details["NotificationType"],
        details["ComparisonOperator"],
        float(details["Threshold"]),
        details.get("ThresholdType", "PERCENTAGE"),
    )
