"""A canary's AWS in memory: weights, metrics, a service, and a clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from include.pipelines.deploy.canary import Canary, CanaryHooks
from include.workloads import Workload, load
from include.workloads.deploying import CanarySpec, DeploySpec
from tests.support.ecs_in_memory import EcsInMemory

SPEC = CanarySpec(share=0.1, minutes=10)
SETTLE = timedelta(minutes=2)
LIVE, CANARY = {"TargetGroup": "live"}, {"TargetGroup": "canary"}
_COUNTS = {
    "RequestCount": "requests",
    "HTTPCode_Target_5XX_Count": "failed",
    "TargetConnectionErrorCount": "unreachable",
}


def with_canary(spec: CanarySpec = SPEC) -> Workload:
    """Flights, with a canary."""
    return load("flights").model_copy(update={"deploy": DeploySpec(canary=spec)})


class WeightsInMemory:
    """The split of the requests; every change is kept in ``shares``.

    Attributes:
        meanwhile: Called after each change: what others do at that moment.
    """

    def __init__(self) -> None:
        self.shares: list[float] = [0.0]
        self.meanwhile: Callable[[], None] = lambda: None

    def share(self) -> float:
        return self.shares[-1]

    def set_share(self, share: float) -> None:
        self.shares.append(share)
        self.meanwhile()

    def dimensions(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return LIVE, CANARY


class MetricsInMemory:
    """What each group answered in every minute: requests, failed, unreachable, p95. Scores: by version, ten bins.

    Attributes:
        seconds: How long the answers of a group took, minute by minute; of a group that is not in it, all took the p95.
    """

    def __init__(self) -> None:
        self.minute: dict[str, dict[str, float]] = {
            name: {"requests": 100.0 if name == "canary" else 900.0, "failed": 0.0, "unreachable": 0.0, "p95": 0.02}
            for name in ("live", "canary")
        }
        self.seconds: dict[str, Sequence[Sequence[float]]] = {}
        self.scores: dict[str, list[float]] = {}
        self.asked: list[tuple[datetime, datetime, list[str]]] = []

    def minutes(
        self, queries: Mapping[str, tuple[str, str, Mapping[str, str], str]], start: datetime, end: datetime
    ) -> Mapping[str, Mapping[datetime, float]]:
        self.asked.append((start, end, list(queries)))
        length = int((end - start) / timedelta(minutes=1))
        found = {}
        for name, (_, metric, dimensions, statistic) in queries.items():
            values = [self._value(metric, dimensions, statistic, number) for number in range(length)]
            found[name] = {
                start + timedelta(minutes=number): value for number, value in enumerate(values) if value is not None
            }
        return found

    def _value(self, metric: str, dimensions: Mapping[str, str], statistic: str, minute: int) -> float | None:
        if metric == "Score":
            bins = self.scores.get(dimensions["ModelVersion"])
            if bins is None:
                return None
            if statistic == "SampleCount":
                return sum(bins)
            number = round(float(statistic.removeprefix("PR(").partition(":")[0]) * 10)
            return 100 * bins[number] / sum(bins)
        known = self.minute[dimensions["TargetGroup"]]
        if metric == "TargetResponseTime":
            seconds = self.seconds.get(dimensions["TargetGroup"])
            taken = seconds[minute] if seconds else [known["p95"]] * int(known["requests"])
            return latency_statistic(taken, statistic) if len(taken) else None
        return known[_COUNTS[metric]]


def latency_statistic(seconds: Sequence[float], statistic: str) -> float:
    """What CloudWatch makes of the latencies of a minute: SampleCount, p95, or how many percent are above: PR(0.1:)."""
    if statistic == "SampleCount":
        return len(seconds)
    if statistic == "p95":
        ordered, place = sorted(seconds), 0.95 * (len(seconds) - 1)
        before, after = ordered[int(place)], ordered[math.ceil(place)]
        return before + (place - int(place)) * (after - before)
    limit = float(statistic.removeprefix("PR(").removesuffix(":)"))
    return 100 * sum(one > limit for one in seconds) / len(seconds)


class CanaryInMemory:
    """A canary with everything that it needs, and its clock.

    Attributes:
        now: The present.
    """

    def __init__(self, state: Any, spec: CanarySpec = SPEC) -> None:
        self.weights, self.metrics, self.service = WeightsInMemory(), MetricsInMemory(), EcsInMemory()
        self.now = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
        self.hooks = CanaryHooks(state, self.weights, self.service, self.metrics)
        self.canary = Canary(with_canary(spec), self.hooks, settle=SETTLE, now=lambda: self.now)

    def passes(self, **time: float) -> None:
        """Some time passes."""
        self.now += timedelta(**time)
