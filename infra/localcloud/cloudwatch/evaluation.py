"""Judges the datapoints of an alarm: how many are breaching, and what missing ones count as.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

# More periods than the alarm evaluates are looked at, so that late and missing datapoints matter less.
EXTRA_PERIODS = 2
COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class Point(NamedTuple):
    """The value of one period; None if it has no data."""

    time: float
    value: float | None


@dataclass(frozen=True)
class Rule:
    """How datapoints are judged.

    Attributes:
        comparison: A name of :data:`COMPARISONS`.
        threshold: What values are compared with.
        periods: How many of the latest datapoints count.
        to_alarm: How many of them must be breaching.
        missing: What missing datapoints count as: missing, ignore, breaching or notBreaching.
    """

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str

    def breaches(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """What the datapoints say.

    Attributes:
        state: The state; None if it stays as it is.
        reason: Why, in CloudWatch's words.
        points: The datapoints that counted, newest first.
    """

    state: str | None
    reason: str = ""
    points: tuple[Point, ...] = ()


def judge(rule: Rule, points: Sequence[Point]) -> Verdict:
    """Judges datapoints.

    Args:
        rule: The alarm's rule.
        points: The datapoints of ``rule.periods`` plus some more periods, oldest first.
    """
    known = [point for point in reversed(points) if point.value is not None][: rule.periods]
    breaching = sum(rule.breaches(point.value) for point in known if point.value is not None)
    absent = rule.periods - len(known)
    if breaching >= rule.to_alarm:
        return _crossed(rule, "ALARM", known)
    if absent and rule.missing in ("breaching", "notBreaching"):
        return _with_missing(rule, known, breaching, absent)
    if breaching < len(known):
        return _crossed(rule, "OK", known)
    if rule.missing == "ignore":
        return Verdict(None)
    if not known:
        return Verdict("INSUFFICIENT_DATA", f"Insufficient Data: {_datapoints(rule.periods)} unknown.")
    # All known ones are breaching. They are enough if only missing ones came after the oldest that had to be.
    latest = points[-rule.periods :]
    oldest = max((len(latest) - place for place, point in enumerate(latest) if point.value is not None), default=0)
    return _crossed(rule, "ALARM", known) if oldest >= rule.to_alarm else Verdict(None)


def _with_missing(rule: Rule, known: list[Point], breaching: int, absent: int) -> Verdict:
    is_alarm = rule.missing == "breaching" and breaching + absent >= rule.to_alarm
    if known and not is_alarm:
        return _crossed(rule, "OK", known)
    label = "Breaching" if rule.missing == "breaching" else "NonBreaching"
    received = f"{len(known) or 'no'} {'datapoint was' if len(known) == 1 else 'datapoints were'} received"
    periods = f"{rule.periods} period{'s' if rule.periods > 1 else ''}"
    treated = f"{absent} missing {'datapoint was' if absent == 1 else 'datapoints were'} treated as [{label}]"
    text = f"Threshold Crossed: {received} for {periods} and {treated}."
    return Verdict("ALARM" if is_alarm else "OK", text, tuple(known))


def _datapoints(count: int) -> str:
    return f"{count} datapoint was" if count == 1 else f"{count} datapoints were"


def _crossed(rule: Rule, state: str, known: list[Point]) -> Verdict:
    words = COMPARISONS[rule.comparison][1]
    is_alarm = state == "ALARM"
    shown = [point for point in known if point.value is not None and rule.breaches(point.value) == is_alarm]
    values = ", ".join(f"{point.value} ({_written(point.time)})" for point in shown)
    change = "OK -> ALARM" if is_alarm else "ALARM -> OK"
    needed = rule.to_alarm if is_alarm else rule.periods - rule.to_alarm + 1
    text = (
        f"Threshold Crossed: {len(shown)} out of the last {len(known)} datapoints [{values}]"
        f" {'was' if len(shown) == 1 else 'were'} {'' if is_alarm else 'not '}{words} the threshold ({rule.threshold})"
        f" (minimum {needed} datapoint{'s' if needed > 1 else ''} for {change} transition)."
    )
    return Verdict(state, text, tuple(known))


def _written(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S}"
