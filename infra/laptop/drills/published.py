"""A metric that the drill publishes itself, in place of the monitor that would take a day to see something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from infra.laptop.bootstrap import alarms
from infra.laptop.bootstrap.alarms import Definition
from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import Target


class Published(Cause):
    """Publishes a value beyond the threshold every few seconds, then one that is not.

    Args:
        target: The running stack.
        page: The alarm's page.
    """

    def __init__(self, target: Target, page: str) -> None:
        super().__init__(target)
        named = alarms.dimensions(target.aws, target.workload.name)
        self._alarm = alarms.read(target.workload.name, target.workload.stream.name, named).metric[page]
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def prepare(self) -> None:
        """Publishes a good value."""
        self._put(good(self._alarm))

    def begin(self) -> None:
        """Publishes bad values."""
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Publishes a good value."""
        self._ended.set()
        if self._thread:
            self._thread.join()
            self._thread = None
            self._put(good(self._alarm))

    def _repeat(self) -> None:
        self._put(bad(self._alarm))
        while not self._ended.wait(20):
            self._put(bad(self._alarm))

    def _put(self, value: float) -> None:
        alarm = self._alarm
        datum: dict[str, Any] = {
            "MetricName": alarm["MetricName"],
            "Dimensions": alarm.get("Dimensions", []),
            "Value": value,
        }
        self.target.aws.cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


def published(page: str) -> Callable[[Target], Cause]:
    """A cause for the table."""
    return lambda target: Published(target, page)


def bad(alarm: Definition) -> float:
    """A value beyond the threshold of an alarm on one metric."""
    threshold = float(alarm["Threshold"])
    return threshold + 1 + abs(threshold) if alarm["ComparisonOperator"].startswith("Greater") else threshold - 1


def good(alarm: Definition) -> float:
    """A value that is not beyond it."""
    threshold = float(alarm["Threshold"])
    if alarm["ComparisonOperator"].startswith("Greater"):
        return threshold / 2 if threshold > 0 else threshold - 1
    return threshold + 1 + abs(threshold)
