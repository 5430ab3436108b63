"""How many requests each target group got: Caddy counts them by listener."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from moto.elbv2.models import FakeListener

# A line of Caddy's metrics. Handlers that answer themselves, such as redirects, send no target a request.
_COUNT = re.compile(
    r'^caddy_http_requests_total\{handler="reverse_proxy",server="listener-(\d+)"\} ([0-9.e+]+)$', re.MULTILINE
)


def by_port(metrics: str) -> dict[int, float]:
    """The requests since Caddy's start by the port of the listener, in Caddy's metrics as Prometheus has them."""
    found: dict[int, float] = defaultdict(float)
    for port, count in _COUNT.findall(metrics):
        found[int(port)] += float(count)
    return dict(found)


class RequestCounts:
    """The requests of target groups since the last look."""

    def __init__(self) -> None:
        self._before: dict[int, float] = {}

    def take(self, metrics: str, listeners: Iterable[FakeListener]) -> dict[str, float]:
        """The requests of each target group, by its ARN.

        Args:
            metrics: Caddy's metrics.
            listeners: All listeners.
        """
        now = by_port(metrics)
        # A counter that went back is that of a Caddy that was started again, or that has a new configuration.
        new = {port: count - self._before.get(port, 0.0) for port, count in now.items()}
        new = {port: now[port] if count < 0 else count for port, count in new.items()}
        self._before = now
        found: dict[str, float] = defaultdict(float)
        for listener in listeners:
            for group, share in _shares(listener):
                found[group] += share * new.get(int(listener.port), 0.0)
        return dict(found)


def _shares(listener: FakeListener) -> Iterator[tuple[str, float]]:
    """The share of a listener's requests that each group of its default action gets, by the weights of the groups."""
    for action in listener.default_actions:
        groups: list[Mapping[str, object]] = action.data.get("ForwardConfig", {}).get("TargetGroups", [])
        weights = {str(one["TargetGroupArn"]): float(str(one.get("Weight", 1))) for one in groups}
        if not weights and action.data.get("TargetGroupArn"):
            weights = {str(action.data["TargetGroupArn"]): 1.0}
        total = sum(weights.values())
        yield from ((group, weight / total) for group, weight in weights.items() if total)
