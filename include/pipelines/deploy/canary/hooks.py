"""What a canary needs of AWS, as Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from include.pipelines.deploy.service import Service
from include.pipelines.protocols import StateStore

Query = tuple[str, str, Mapping[str, str], str]
"""Namespace, name, dimensions and statistic of a metric."""


class Weights(Protocol):
    """How a load balancer splits the requests between two target groups (``nightjar.weights.TargetGroupWeights``)."""

    def share(self) -> float:
        """Returns the second group's share of the requests; 0 where nothing forwards to it."""

    def set_share(self, share: float) -> None:
        """Sets the second group's share, in every rule that forwards to the first one."""

    def dimensions(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Returns the dimensions of the two groups' metrics."""


class Metrics(Protocol):
    """CloudWatch's metrics (``nightjar.metric_values.MetricsHook``)."""

    def minutes(
        self, queries: Mapping[str, Query], start: datetime, end: datetime
    ) -> Mapping[str, Mapping[datetime, float]]:
        """Returns the values of metrics for each minute that has any, by the names of the queries."""


@dataclass(frozen=True)
class CanaryHooks:
    """The AWS hooks of a workload's canary.

    Attributes:
        state: The state table.
        weights: The split between the live service's target group and the canary's.
        service: The canary's ECS service.
        metrics: CloudWatch's metrics.
    """

    state: StateStore
    weights: Weights
    service: Service
    metrics: Metrics

    def end(self) -> None:
        """Gives all requests to the live version, then stops the canary's tasks. Repeating it is harmless.

        A task that is giving the canary its share meanwhile either finds no tasks afterwards, or has given it by then.
        """
        self._take_share()
        if self.service.primary()["desiredCount"]:
            self.service.stop_all()
            self._take_share()

    def _take_share(self) -> None:
        if self.weights.share():
            self.weights.set_share(0)
