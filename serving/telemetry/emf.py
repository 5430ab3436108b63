"""CloudWatch metrics as lines of the log, in the embedded metric format: no agent, no API call.

Every worker writes its own line, and CloudWatch adds them up. Health checks are not counted.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from typing import Any

import msgspec

from serving.telemetry.events import Finished, ServedModel

# A metric of one line may have at most 100 different values, so latencies are counted in 100 buckets of equal ratio
# from 0.05 ms to 10 s. A reported value is within 6.3 % of the true one, which is finer than CloudWatch's own
# percentiles.
BUCKETS = 100
LOWEST_MS = 0.05
HIGHEST_MS = 10_000.0
RATIO = (HIGHEST_MS / LOWEST_MS) ** (1 / BUCKETS)
# Probabilities are counted in bins of equal width, each reported as its middle.
BINS = 50
_LATENCIES = [LOWEST_MS * RATIO**index for index in range(1, BUCKETS)]
_SCORES = [index / BINS for index in range(1, BINS)]
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
    """Counts since the last line. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._latency = [0] * BUCKETS
        self._scores = [0] * BINS
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._queue = 0
        self._in_flight = 0

    def finished(self, *requests: Finished) -> None:
        """Counts all of these requests, or raises."""
        latencies: list[int] = []
        counted: dict[str, int] = defaultdict(int)
        answered = 0
        for one in requests:
            if one.quiet:
                continue
            answered += 1
            if one.scores:
                latencies.append(bucket((one.ended - one.started) * 1000))
            if one.status >= 400:
                counted["Errors4xx" if one.status < 500 else "Errors5xx"] += 1
            if one.warnings:
                counted["Warnings"] += one.warnings
            if one.cache:
                counted["CacheHits" if one.cache == "hit" else "CacheMisses"] += 1
        with self._lock:
            self._counts["Requests"] += answered
            for name, number in counted.items():
                self._counts[name] += number
            for index in latencies:
                self._latency[index] += 1

    def scored(self, *probabilities: float) -> None:
        """Counts the scores of all of these records, or raises."""
        bins = [bisect_right(_SCORES, one) for one in probabilities]
        with self._lock:
            for index in bins:
                self._scores[index] += 1

    def count(self, name: str, number: int) -> None:
        """Adds to a count."""
        with self._lock:
            self._counts[name] += number

    def depths(self, queue: int, in_flight: int) -> None:
        """Records depths; the line has the largest of each."""
        with self._lock:
            self._queue, self._in_flight = max(self._queue, queue), max(self._in_flight, in_flight)

    def take(self) -> dict[str, Any]:
        """Returns the metrics of a line by name, and resets the counts."""
        with self._lock:
            latency, scores = self._latency, self._scores
            metrics: dict[str, Any] = {**self._counts, "QueueDepth": self._queue, "InFlight": self._in_flight}
            self._reset()
        for name, counted in (
            ("Latency", [(middle(index), count) for index, count in enumerate(latency) if count]),
            ("Score", [((2 * index + 1) / (2 * BINS), count) for index, count in enumerate(scores) if count]),
        ):
            if counted:  # CloudWatch rejects a metric without values
                metrics[name] = {"Values": [value for value, _ in counted], "Counts": [count for _, count in counted]}
        return metrics


def bucket(milliseconds: float) -> int:
    """Returns the index of a latency's bucket. The first and the last take what is outside."""
    return bisect_right(_LATENCIES, milliseconds)


def middle(index: int) -> float:
    """Returns the geometric middle of a bucket, in milliseconds."""
    return float(f"{LOWEST_MS * RATIO ** (index + 0.5):.4g}")


def line(namespace: str, model: ServedModel, metrics: dict[str, Any], seconds: float) -> bytes:
    """Returns one line.

    The metrics have the dimension workload, for alarms that outlive a deploy, and workload with version, to compare a
    version with the one before.

    Args:
        namespace: CloudWatch namespace.
        model: The served model.
        metrics: Metrics by name, from :meth:`Window.take`.
        seconds: Unix time.
    """
    units = {"Latency": "Milliseconds", "Score": "None"}
    directive = {
        "Namespace": namespace,
        "Dimensions": [["Workload"], ["Workload", "ModelVersion"]],
        "Metrics": [{"Name": name, "Unit": units.get(name, "Count")} for name in metrics],
    }
    head = {"_aws": {"Timestamp": int(seconds * 1000), "CloudWatchMetrics": [directive]}}
    dimensions = {"Workload": model.workload, "ModelVersion": model.model_version}
    return msgspec.json.encode({**head, **dimensions, **metrics}) + b"\n"
