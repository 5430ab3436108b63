"""A workload with a shadow, and reports of its job."""

from __future__ import annotations

import json
from typing import Any

from include.model.shadow import FORMAT, ShadowReport
from include.workloads import Workload, load
from include.workloads.deploying import CanarySpec, DeploySpec, ShadowSpec

SPEC = ShadowSpec(minimum_requests=100)


def with_shadow(spec: ShadowSpec = SPEC, canary: CanarySpec | None = None) -> Workload:
    """Flights, with a shadow."""
    return load("flights").model_copy(update={"deploy": DeploySpec(shadow=spec, canary=canary)})


def report(requests: int = 1000, **changes: Any) -> ShadowReport:
    """What a job finds of a version that answers nearly as the live one does."""
    times = {"median": 40.0, "p95": 60.0}
    found: dict[str, Any] = {
        "format": FORMAT,
        "workload": "flights",
        "live_digest": "d1",
        "candidate_digest": "d2",
        "read": {
            "lines": 2 * requests, "answered": requests, "unreadable": 0,
            "first": "2026-11-29T10:00:00Z", "last": "2026-11-29T12:00:00Z",
        },
        "requests": requests,
        "refused": {"requests": 0, "reasons": {}},
        "failed": {"requests": 0, "reasons": {}},
        "differences": {"mean": 0.001, "absolute": 0.01, "p95": 0.03, "largest": 0.2},
        "changed": {"to_1": requests // 200, "to_0": requests // 100},
        "scores": {"live": [requests // 10] * 10, "candidate": [requests // 10] * 10},
        "latency": {"live": dict(times), "candidate": dict(times)},
        "control": {"requests": requests, "differing": 0, "largest": 0.0},
    }  # fmt: skip
    made: ShadowReport = {**found, **changes}  # type: ignore[typeddict-item]
    return made


def document(found: ShadowReport) -> bytes:
    """The job's document."""
    return json.dumps(found).encode()
