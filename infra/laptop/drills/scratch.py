"""The short copies of alarms: the same metric, statistic and comparison, and one period of a minute."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.alarms import Alarms, Definition, request
from infra.laptop.config import LaptopError

SUFFIX = "-drill"
PERIOD = 60
_KINDS = ["MetricAlarm", "CompositeAlarm"]


@dataclass(frozen=True)
class Copies:
    """The copies for a drill.

    Attributes:
        metric: The members of PutMetricAlarm of each.
        composite: The members of PutCompositeAlarm, if the alarm is a part of a composite alarm or is one.
        watched: The alarm that shall go off.
        changes: How they differ from the alarms of production.
    """

    metric: tuple[Definition, ...]
    watched: str
    composite: Definition | None = None
    changes: tuple[str, ...] = field(default=())

    @property
    def tells(self) -> str:
        """The alarm of which a person gets a message."""
        return str(self.composite["AlarmName"]) if self.composite else self.watched

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, a composite alarm before its parts: it must be deleted first."""
        first = (str(self.composite["AlarmName"]),) if self.composite else ()
        return (*first, *(str(alarm["AlarmName"]) for alarm in self.metric))


def of(alarms: Alarms, name: str, threshold: float | None = None) -> Copies:
    """The copies of an alarm, and of the others of its composite alarm.

    Args:
        alarms: All definitions.
        name: The alarm's page.
        threshold: In place of the alarm's own.

    Raises:
        LaptopError: There is no such alarm.
    """
    if name not in {**alarms.metric, **alarms.composite}:
        raise LaptopError(f"There is no alarm {name}. There are: {', '.join([*alarms.metric, *alarms.composite])}")
    parent = name if name in alarms.composite else alarms.metric[name].get("part_of")
    parts = [key for key, alarm in alarms.metric.items() if key == name or (parent and alarm.get("part_of") == parent)]
    shortened = {key: _short(alarms.metric[key], threshold if key == name else None) for key in parts}
    changes = tuple(text for key in parts for text in shortened[key][1])
    composite = (
        _renamed(alarms.composite[parent], [alarms.metric[key]["AlarmName"] for key in parts]) if parent else None
    )
    watched = str(shortened[name][0]["AlarmName"]) if name in shortened else str((composite or {})["AlarmName"])
    return Copies(tuple(shortened[key][0] for key in parts), watched, composite, changes)


def _short(alarm: Definition, threshold: float | None) -> tuple[Definition, list[str]]:
    """A copy with short periods, and what is different."""
    members = copy.deepcopy(request(alarm))
    name = str(alarm["AlarmName"])
    stats = [query["MetricStat"] for query in members.get("Metrics", ()) if "MetricStat" in query] or [members]
    before = max(int(stat["Period"]) for stat in stats)
    for stat in stats:
        stat["Period"] = PERIOD
    periods, needed = int(members["EvaluationPeriods"]), int(members.get("DatapointsToAlarm") or 1)
    changes = [f"{name}: 1 datapoint of {PERIOD} s instead of {needed} of {periods} of {before} s"]
    if threshold is not None:
        changes.append(f"{name}: threshold {threshold:g} instead of {float(members['Threshold']):g}")
        members["Threshold"] = threshold
    members |= {"EvaluationPeriods": 1, "DatapointsToAlarm": 1, "AlarmName": f"{name}{SUFFIX}"}
    members["AlarmDescription"] = f"DRILL ({'; '.join(changes)}). {members['AlarmDescription']}"
    return members, changes


def _renamed(composite: Definition, parts: list[str]) -> Definition:
    members = copy.deepcopy(request(composite))
    members["AlarmName"] = f"{members['AlarmName']}{SUFFIX}"
    members["AlarmDescription"] = f"DRILL. {members['AlarmDescription']}"
    for part in parts:
        members["AlarmRule"] = members["AlarmRule"].replace(f'"{part}"', f'"{part}{SUFFIX}"')
    return members


@contextmanager
def existing(aws: Aws, copies: Copies) -> Iterator[None]:
    """The copies exist; those that a drill before has left are deleted first."""
    sweep(aws)
    for alarm in copies.metric:
        aws.cloudwatch.put_metric_alarm(**alarm)
    if copies.composite:
        aws.cloudwatch.put_composite_alarm(**copies.composite)
    try:
        yield
    finally:
        sweep(aws)


def sweep(aws: Aws) -> None:
    """Deletes all copies, composite alarms first and one by one, as CloudWatch wants it."""
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="nightjar-", AlarmTypes=_KINDS)
    found: dict[str, list[str]] = {"CompositeAlarms": [], "MetricAlarms": []}
    for page in pages:
        for kind, names in found.items():
            names += [one["AlarmName"] for one in page.get(kind, ()) if one["AlarmName"].endswith(SUFFIX)]
    for name in (*found["CompositeAlarms"], *found["MetricAlarms"]):
        aws.cloudwatch.delete_alarms(AlarmNames=[name])


def state(aws: Aws, name: str) -> dict[str, Any]:
    """An alarm as DescribeAlarms has it.

    Raises:
        LaptopError: Somebody has deleted it.
    """
    answer = aws.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=_KINDS)
    found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    if not found:
        raise LaptopError(f"The alarm {name} is gone: another drill or a person has deleted it. Repeat the drill.")
    alarm: dict[str, Any] = found[0]
    return alarm
