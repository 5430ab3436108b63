"""The actions of Budgets that moto lacks: updates, subscribers and tags."""

from __future__ import annotations

from typing import Any

from moto.budgets.responses import BudgetsResponse

from infra.localcloud.actions import AwsError, Members, answered_by
from infra.localcloud.budgets.models import BudgetsBackend


def _backend(response: BudgetsResponse) -> BudgetsBackend:
    backend = response.backend
    assert isinstance(backend, BudgetsBackend)
    return backend


_answered = answered_by(_backend)


@_answered
def create_budget(backend: BudgetsBackend, request: Members) -> Members:
    """Answers CreateBudget."""
    account, budget = request["AccountId"], request["Budget"]
    backend.create_budget(account, budget, request.get("NotificationsWithSubscribers", []))
    backend.tagging.tag_resource(backend.arn(account, budget["BudgetName"]), request.get("ResourceTags"))
    return {}


@_answered
def update_budget(backend: BudgetsBackend, request: Members) -> Members:
    """Answers UpdateBudget."""
    backend.update_budget(request["AccountId"], request["NewBudget"])
    return {}


@_answered
def update_notification(backend: BudgetsBackend, request: Members) -> Members:
    """Answers UpdateNotification."""
    found = backend.notification(request["AccountId"], request["BudgetName"], request["OldNotification"])
    found.details = request["NewNotification"]
    return {}


@_answered
def describe_notifications_for_budget(backend: BudgetsBackend, request: Members) -> Members:
    """Answers DescribeNotificationsForBudget."""
    return {"Notifications": list(backend.budget(request["AccountId"], request["BudgetName"]).get_notifications())}


@_answered
def describe_subscribers_for_notification(backend: BudgetsBackend, request: Members) -> Members:
    """Answers DescribeSubscribersForNotification."""
    return {"Subscribers": _subscribers(backend, request)}


@_answered
def create_subscriber(backend: BudgetsBackend, request: Members) -> Members:
    """Answers CreateSubscriber."""
    subscribers = _subscribers(backend, request)
    if request["Subscriber"] in subscribers:
        raise AwsError("DuplicateRecordException", "Error creating subscriber - it already exists.")
    subscribers.append(request["Subscriber"])
    return {}


@_answered
def update_subscriber(backend: BudgetsBackend, request: Members) -> Members:
    """Answers UpdateSubscriber."""
    subscribers = _subscribers(backend, request)
    subscribers[_place(subscribers, request["OldSubscriber"])] = request["NewSubscriber"]
    return {}


@_answered
def delete_subscriber(backend: BudgetsBackend, request: Members) -> Members:
    """Answers DeleteSubscriber: a notification without subscribers is deleted, as on AWS."""
    subscribers = _subscribers(backend, request)
    del subscribers[_place(subscribers, request["Subscriber"])]
    if not subscribers:
        backend.delete_notification(request["AccountId"], request["BudgetName"], request["Notification"])
    return {}


@_answered
def list_tags_for_resource(backend: BudgetsBackend, request: Members) -> Members:
    """Answers ListTagsForResource."""
    return backend.tagging.list_tags_for_resource(backend.tagged(request["ResourceARN"]))


@_answered
def tag_resource(backend: BudgetsBackend, request: Members) -> Members:
    """Answers TagResource."""
    backend.tagging.tag_resource(backend.tagged(request["ResourceARN"]), request["ResourceTags"])
    return {}


@_answered
def untag_resource(backend: BudgetsBackend, request: Members) -> Members:
    """Answers UntagResource."""
    backend.tagging.untag_resource_using_names(backend.tagged(request["ResourceARN"]), request["ResourceTagKeys"])
    return {}


def _subscribers(backend: BudgetsBackend, request: Members) -> list[dict[str, Any]]:
    found = backend.notification(request["AccountId"], request["BudgetName"], request["Notification"])
    subscribers: Any = found.subscribers
    known: list[dict[str, Any]] = subscribers
    return known


def _place(subscribers: list[dict[str, Any]], wanted: dict[str, Any]) -> int:
    if wanted not in subscribers:
        raise AwsError("NotFoundException", "Unable to find the subscriber - it doesn't exist.")
    return subscribers.index(wanted)


ACTIONS = (
    create_budget,
    update_budget,
    update_notification,
    describe_notifications_for_budget,
    describe_subscribers_for_notification,
    create_subscriber,
    update_subscriber,
    delete_subscriber,
    list_tags_for_resource,
    tag_resource,
    untag_resource,
)
