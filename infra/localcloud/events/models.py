"""moto's EventBridge, with rules that only act while they are enabled and targets that really receive the event."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudwatch.models import cloudwatch_backends
from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend as MotoEventsBackend
from moto.events.models import Rule

from infra.localcloud.cloudwatch.data import Datum, MetricKey, metric_key
from infra.localcloud.events.delivery import deliver, is_function, is_supported
from infra.localcloud.events.schedule import ScheduleError, parse
from infra.localcloud.install import Context

_REQUIRED = ("Source", "DetailType", "Detail")


class EventsBackend(MotoEventsBackend):
    """Event buses, rules and targets of one account and region."""

    context: ClassVar[Context]

    def put_rule(self, name: str, *arguments: Any, **named: Any) -> Rule:
        """PutRule. A schedule that is changed counts from now; one that is put again as it was goes on.

        Raises:
            ValidationException: The schedule is not valid, or not evaluated.
        """
        before = self._rule(name, named.get("event_bus_arn"))
        expression = named.get("scheduled_expression")
        if expression:
            try:
                parse(expression)
            except ScheduleError as error:
                raise ValidationException(f"Parameter ScheduleExpression is not valid. {error}") from None
        rule: Any = super().put_rule(name, *arguments, **named)
        if is_schedule(rule):
            begin(rule, datetime.now(UTC))
            if before and before.scheduled_expression == rule.scheduled_expression and before.state == rule.state:
                rule.counted_from, rule.started_at = before.counted_from, before.started_at
        return rule

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        """PutTargets.

        Raises:
            NotImplementedError: Events would not reach a target of this kind.
        """
        rule = self._rule(name, event_bus_arn)
        for target in targets:
            started = rule is not None and is_schedule(rule) and is_function(target["Arn"])
            if not started and not is_supported(target["Arn"]):
                raise NotImplementedError(
                    f"events are not delivered to {target['Arn']}; SQS queues, SNS topics and log groups receive them, "
                    "and functions the starts of schedules"
                )
        super().put_targets(name, event_bus_arn, targets)

    def enable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        """EnableRule. The schedule counts from now."""
        rule = self._rule(name, event_bus_arn)
        if rule and is_schedule(rule) and rule.state == "DISABLED":
            begin(rule, datetime.now(UTC))
        return bool(super().enable_rule(name, event_bus_arn))

    def _rule(self, name: str, event_bus_arn: str | None) -> Any:
        return self.describe_event_bus(self._normalize_event_bus_arn(event_bus_arn)).rules.get(name)

    def put_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """PutEvents: each entry is accepted or rejected on its own."""
        return [self._put_event(event) for event in events]

    def _put_event(self, entry: dict[str, Any]) -> dict[str, Any]:
        for name in _REQUIRED:
            if not entry.get(name):
                text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        moment = datetime.fromtimestamp(entry["Time"], UTC) if entry.get("Time") else datetime.now(UTC)
        event = self.event(entry["Source"], entry["DetailType"], entry.get("Resources", []), detail, moment)
        for target in self.targets(event, entry.get("EventBusName")):
            deliver(target, dict(event), self.account_id, self.region_name)
        return {"EventId": event["id"]}

    def event(
        self, source: str, detail_type: str, resources: list[str], detail: dict[str, Any], moment: datetime
    ) -> dict[str, Any]:
        """Makes an event of this account and region."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.account_id,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region_name,
            "resources": resources,
            "detail": detail,
        }

    def targets(self, event: dict[str, Any], bus_name: str | None = None) -> list[dict[str, Any]]:
        """Returns the targets of the rules of a bus that an event matches."""
        bus = self.describe_event_bus(self._normalize_event_bus_arn(bus_name))
        matched = [rule for rule in list(bus.rules.values()) if _is_matched(rule, event)]
        self._count(matched)
        return [target for rule in matched for target in rule.targets]

    def _count(self, matched: list[Rule]) -> None:
        """Adds to the metric of each rule that has matched, which has targets or not."""
        if not matched:
            return
        metrics: Any = cloudwatch_backends[self.account_id][self.region_name]
        metrics.add([Datum(_triggered(rule.name), time.time(), "Count", (1.0,), (1.0,)) for rule in matched])
        self.context.state.soon(metrics)


def _triggered(rule: str) -> MetricKey:
    """The metric of a rule's matches."""
    return metric_key("AWS/Events", "TriggeredRules", [{"Name": "RuleName", "Value": rule}])


def _is_matched(rule: Rule, event: Any) -> bool:
    """Whether an enabled rule's pattern matches. A rule without a pattern is a schedule, which no event matches."""
    return (
        rule.state != "DISABLED" and bool(rule.event_pattern.get_pattern()) and rule.event_pattern.matches_event(event)
    )


def is_schedule(rule: Rule) -> bool:
    """Whether the clock starts the rule."""
    return bool(rule.scheduled_expression) and not rule.event_pattern.get_pattern()


def begin(rule: Any, now: datetime) -> None:
    """Lets a rule's schedule count from now."""
    rule.counted_from = rule.started_at = now.timestamp()
