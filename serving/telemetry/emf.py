"""CloudWatch metrics as lines of the log: the embedded metric format, so no agent and no API call.

Every process writes its own line; CloudWatch adds them up. Health checks are in none of the figures.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import math
import threading
from typing import Any

import msgspec

from serving.telemetry.access_log import QUIET
from serving.telemetry.events import Finished, Identity

PREDICT = frozenset(("/predict", "/predict/batch"))
# A metric of one line has at most 100 different values, so latencies are kept in 100 buckets of equal ratio from 0.05 ms to
# 10 s: a value is told within 6.3 % of what it was, which is finer than CloudWatch's own percentiles.
BUCKETS = 100
LOWEST_MS = 0.05
HIGHEST_MS = 10_000.0
RATIO = (HIGHEST_MS / LOWEST_MS) ** (1 / BUCKETS)
_SCALE = 1 / math.log(RATIO)
_COUNTS = (
    "Requests",
    "Errors4xx",
    "Errors5xx",
    "Warnings",
    "CacheHits",
    "CacheMisses",
    "DroppedLines",
    "DroppedPredictions",
)


class Window:
    """What happened since the last line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fresh()

    def _fresh(self) -> None:
        self._latency = [0] * BUCKETS
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._queue = 0
        self._in_flight = 0

    def finished(self, request: Finished) -> None:
        """Hot path."""
        if request.route in QUIET:
            return
        with self._lock:
            counts = self._counts
            counts["Requests"] += 1
            if request.status >= 400:
                counts["Errors4xx" if request.status < 500 else "Errors5xx"] += 1
            if request.warnings:
                counts["Warnings"] += request.warnings
            if request.cache:
                counts["CacheHits" if request.cache == "hit" else "CacheMisses"] += 1
            if request.route in PREDICT:
                self._latency[bucket((request.ended - request.started) * 1000)] += 1

    def count(self, name: str, number: int) -> None:
        with self._lock:
            self._counts[name] += number

    def depths(self, queue: int, in_flight: int) -> None:
        """The line tells the largest that was seen."""
        with self._lock:
            self._queue, self._in_flight = max(self._queue, queue), max(self._in_flight, in_flight)

    def take(self) -> dict[str, Any]:
        """Metrics by name, for a line; begins anew."""
        with self._lock:
            latency, values = self._latency, {**self._counts, "QueueDepth": self._queue, "InFlight": self._in_flight}
            self._fresh()
        seen = [(middle(index), count) for index, count in enumerate(latency) if count]
        if seen:  # a metric without values is refused
            values["Latency"] = {"Values": [value for value, _ in seen], "Counts": [count for _, count in seen]}
        return values


def bucket(milliseconds: float) -> int:
    """Index of the bucket; both ends take what lies outside."""
    if milliseconds <= LOWEST_MS:
        return 0
    return min(int(math.log(milliseconds / LOWEST_MS) * _SCALE), BUCKETS - 1)


def middle(index: int) -> float:
    """The geometric middle of a bucket in ms."""
    return float(f"{LOWEST_MS * RATIO ** (index + 0.5):.4g}")


def line(namespace: str, identity: Identity, values: dict[str, Any], seconds: float) -> bytes:
    """One line; ``seconds`` is Unix time.

    The metrics are there by workload, for alarms that outlive a deploy, and by version, for comparing one with the last.
    """
    units = {"Latency": "Milliseconds"}
    directive = {
        "Namespace": namespace,
        "Dimensions": [["Workload"], ["Workload", "ModelVersion"]],
        "Metrics": [{"Name": name, "Unit": units.get(name, "Count")} for name in values],
    }
    head = {"_aws": {"Timestamp": int(seconds * 1000), "CloudWatchMetrics": [directive]}}
    dimensions = {"Workload": identity.workload, "ModelVersion": identity.model_version}
    return msgspec.json.encode({**head, **dimensions, **values}) + b"\n"
