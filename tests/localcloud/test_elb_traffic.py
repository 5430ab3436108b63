"""The requests of target groups, from what Caddy counts by listener."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from infra.localcloud.elb.traffic import RequestCounts, by_port

METRICS = """# HELP caddy_http_requests_total Counter of HTTP(S) requests made.
# TYPE caddy_http_requests_total counter
caddy_http_requests_total{handler="reverse_proxy",server="listener-8000"} %d
caddy_http_requests_total{handler="static_response",server="listener-8000"} 7
caddy_http_requests_total{handler="reverse_proxy",server="listener-8001"} 1.5e+06
caddy_http_request_errors_total{handler="reverse_proxy",server="listener-8000"} 3
"""


def listener(port: int, **action: Any) -> Any:
    return SimpleNamespace(port=port, default_actions=[SimpleNamespace(data={"Type": "forward", **action})])


def test_only_forwarded_requests_are_counted() -> None:
    assert by_port(METRICS % 12) == {8000: 12.0, 8001: 1_500_000.0}


def test_counts_are_those_since_the_last_look_also_after_a_restart() -> None:
    counts, listeners = RequestCounts(), [listener(8000, TargetGroupArn="flights")]
    assert counts.take(METRICS % 12, listeners) == {"flights": 12.0}
    assert counts.take(METRICS % 20, listeners) == {"flights": 8.0}
    assert counts.take(METRICS % 5, listeners) == {"flights": 5.0}
    assert counts.take("", listeners) == {"flights": 0.0}


def test_groups_of_one_action_share_by_their_weights() -> None:
    groups = [{"TargetGroupArn": "old", "Weight": 90}, {"TargetGroupArn": "new", "Weight": 10}]
    shared = [listener(8000, ForwardConfig={"TargetGroups": groups})]
    assert RequestCounts().take(METRICS % 100, shared) == {"old": 90.0, "new": 10.0}
