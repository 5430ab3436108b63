"""Target tracking: how many tasks a service should have, by its metrics of the last minutes.

As on AWS: a metric that is above the target for three minutes adds tasks in proportion, one that is a tenth below it
for fifteen minutes takes some away, and of several policies the one that asks for the most decides.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

OUT_MINUTES, IN_MINUTES = 3, 15
_LOW = 0.9  # of the target


@dataclass(frozen=True)
class Limits:
    """What the scalable target allows.

    Attributes:
        minimum: The fewest tasks.
        maximum: The most tasks.
        out_suspended: No task is added.
        in_suspended: No task is taken away.
    """

    minimum: int
    maximum: int
    out_suspended: bool = False
    in_suspended: bool = False


@dataclass(frozen=True)
class Reading:
    """A policy, and the values of its metric.

    Attributes:
        policy: Its name.
        target: The value that the metric should have.
        values: The last :data:`IN_MINUTES` minutes, oldest first; None without data.
        out_cooldown: Seconds after a step out without another one.
        in_cooldown: Seconds after a step in without another one.
        scales_in: Whether it takes tasks away.
    """

    policy: str
    target: float
    values: Sequence[float | None]
    out_cooldown: float = 300.0
    in_cooldown: float = 300.0
    scales_in: bool = True

    def last(self, minutes: int) -> list[float]:
        """The values of the last minutes; empty if one is missing."""
        newest = self.values[-minutes:]
        found = [value for value in newest if value is not None]
        return found if len(found) == minutes else []

    def proportional(self, tasks: int) -> int:
        """The tasks with which the metric would be at its target."""
        value = self.values[-1]
        return tasks if value is None else math.ceil(tasks * value / self.target)

    @property
    def is_high(self) -> bool:
        """Whether it asks for more tasks."""
        return bool(self.last(OUT_MINUTES)) and all(value > self.target for value in self.last(OUT_MINUTES))

    @property
    def is_low(self) -> bool:
        """Whether it needs fewer tasks."""
        last = self.last(IN_MINUTES)
        return bool(last) and all(value < self.target * _LOW for value in last)


@dataclass(frozen=True)
class Step:
    """A change of the number of tasks.

    Attributes:
        tasks: How many there shall be.
        policy: The policy that asks for it.
        cause: Why.
    """

    tasks: int
    policy: str
    cause: str


@dataclass(frozen=True)
class Since:
    """Seconds since the last steps; infinity before the first."""

    out: float = math.inf
    inwards: float = math.inf


def decide(readings: Sequence[Reading], tasks: int, limits: Limits, since: Since) -> Step | None:
    """The next change of a service's tasks, if one is due.

    Args:
        readings: Its policies with the values of their metrics.
        tasks: How many tasks it shall have now. A service without tasks has no metrics, so no policy acts.
        limits: What the scalable target allows.
        since: How long ago the last steps were.
    """
    if not tasks or not readings:
        return None
    high = [reading for reading in readings if reading.is_high]
    if high:
        first = max(high, key=lambda reading: reading.proportional(tasks))
        wanted = min(limits.maximum, max(tasks, first.proportional(tasks)))
        if wanted <= tasks or limits.out_suspended or since.out < first.out_cooldown:
            return None
        return Step(wanted, first.policy, f"above {first.target:g} for {OUT_MINUTES} minutes")
    counted = [reading for reading in readings if reading.scales_in]
    if limits.in_suspended or not counted or not all(reading.is_low for reading in counted):
        return None
    first = max(counted, key=lambda reading: reading.proportional(tasks))
    wanted = max(limits.minimum, min(tasks, first.proportional(tasks)), 1)
    if wanted >= tasks or min(since.out, since.inwards) < first.in_cooldown:
        return None
    return Step(wanted, first.policy, f"below {first.target * _LOW:g} for {IN_MINUTES} minutes")
