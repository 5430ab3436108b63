"""The metrics of what the targets of load balancers answered: requests, status codes, latency, failed connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.elbv2.models import elbv2_backends

from infra.localcloud.cloudwatch.data import Datum, metric_key
from infra.localcloud.elb.traffic import SECONDS, Answers
from infra.localcloud.install import Context

_NAMESPACE = "AWS/ApplicationELB"
_LATE = 1.0  # seconds until the lines of some seconds have all arrived


class TrafficMetrics:
    """Puts the metrics of one account and region.

    Args:
        context: The server's context.
    """

    def __init__(self, context: Context) -> None:
        self._account, self._region = context.config.account, context.config.region

    def step(self) -> float:
        """Puts what was counted; returns the seconds until the next ones have ended."""
        now = time.time()
        if data := list(self._counted(now - _LATE)):
            # They are stored with the metrics of the minute, which are measured wherever a service runs.
            backend: Any = cloudwatch_backends[self._account][self._region]
            backend.add(data)
        return SECONDS - (now - _LATE) % SECONDS

    def _counted(self, before: float) -> Iterator[Datum]:
        known = self._account in elbv2_backends  # reading makes what is not there
        balancing: Any = elbv2_backends[self._account].get(self._region) if known else None
        traffic = balancing.traffic if balancing else None
        for (start, balancer, group), answers in (traffic.take(before) if traffic else {}).items():
            for dimensions in ({"LoadBalancer": balancer}, {"LoadBalancer": balancer, "TargetGroup": group}):
                yield from metrics_of(answers, dimensions, start)


def metrics_of(answers: Answers, dimensions: dict[str, str], start: float) -> Iterator[Datum]:
    """The metrics of some seconds, with these dimensions. As on AWS, what did not happen has no datum."""
    listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]

    def counted(name: str, number: int) -> Datum:
        return Datum(metric_key(_NAMESPACE, name, listed), start, "Count", (float(number),), (1.0,))

    yield counted("RequestCount", answers.requests)
    for code, number in answers.codes.items():
        yield counted(f"HTTPCode_Target_{code}_Count", number)
    if answers.unreachable:
        yield counted("TargetConnectionErrorCount", answers.unreachable)
    if answers.latencies:
        values, counts = zip(*answers.latencies.items(), strict=True)
        key = metric_key(_NAMESPACE, "TargetResponseTime", listed)
        yield Datum(key, start, "Seconds", values, tuple(map(float, counts)))
