"""The alarms that are in ALARM now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.laptop.aws import Aws

_KINDS = ["MetricAlarm", "CompositeAlarm"]


@dataclass(frozen=True)
class OpenAlarm:
    """An alarm that is in ALARM.

    Attributes:
        name: The alarm.
        since: When it went off: ISO 8601, UTC.
        description: What it means.
        reason: Why, in CloudWatch's words.
    """

    name: str
    since: str
    description: str
    reason: str


def open_alarms(aws: Aws) -> list[OpenAlarm]:
    """The alarms in ALARM, the newest first."""
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(StateValue="ALARM", AlarmTypes=_KINDS)
    found = [alarm for page in pages for alarm in _alarms(page)]
    return sorted(found, key=lambda alarm: alarm.since, reverse=True)


def _alarms(page: dict[str, Any]) -> Iterator[OpenAlarm]:
    for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
        since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
        yield OpenAlarm(
            alarm["AlarmName"],
            since.isoformat(timespec="seconds"),
            alarm.get("AlarmDescription", ""),
            alarm.get("StateReason", ""),
        )
