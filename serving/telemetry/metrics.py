"""Prometheus metrics of all processes of the task: every process writes to files of its own, whoever is asked reads them all."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from serving.telemetry.events import Finished, Identity

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REASONS = 32  # different refusals told apart; a label that could grow without end would fill the files


def prepare(folder: Path) -> None:
    """In the parent, before the fork: makes the folder (closed to others), empties it, and switches the library to it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in folder.glob("*.db"):
        leftover.unlink()
    os.environ[FOLDER] = str(folder)
    # The library looks at the variable when it is imported, which may be long past.
    values.ValueClass = values.MultiProcessValue()


def worker_died(pid: int) -> None:
    """In the parent: what a dead process counted stays, its gauges go."""
    multiprocess.mark_process_dead(pid, os.environ[FOLDER])


class Metrics:
    """The metrics of one process. Labels are resolved once; the hot path does no more than look in a dictionary."""

    def __init__(self, identity: Identity, load_seconds: float) -> None:
        self._registry = CollectorRegistry()
        r = self._registry
        latency = Histogram("nightjar_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=r)
        requests = Counter("nightjar_requests", "Requests answered", ["route", "status"], registry=r)
        errors = Counter("nightjar_errors", "Answers 4xx and 5xx", ["route", "kind"], registry=r)
        refusals = Counter("nightjar_refusals", "Requests refused", ["reason"], registry=r)
        cache = Counter("nightjar_cache", "Predictions looked up in the cache", ["result"], registry=r)
        dropped = Counter("nightjar_dropped", "Log lines and prediction records that were lost", ["what"], registry=r)
        predictions = Counter(
            "nightjar_predictions", "Predictions handed to the log, by label", ["prediction"], registry=r
        )
        self._latency, self._requests = latency, requests
        self._seen: dict[tuple[str, int], _Seen] = {}
        self._lock = threading.Lock()
        self._errors = _Children(lambda key: errors.labels(*key).inc)
        self._refusals = _Children(lambda reason: refusals.labels(reason).inc)
        self._cache = {result: cache.labels(result).inc for result in ("hit", "miss")}
        self._predictions = [predictions.labels(str(label)).inc for label in (0, 1)]
        self._labels = [0, 0]
        self.dropped_lines = dropped.labels("log_lines").inc
        self.dropped_predictions = dropped.labels("predictions").inc
        self._warnings = Counter("nightjar_request_warnings", "Values outside the range seen in training", registry=r)
        self.sent = Counter("nightjar_predictions_sent", "Predictions that the log's stream has taken", registry=r).inc
        self.failures = Counter(
            "nightjar_telemetry_failures", "Requests that telemetry failed to take in", registry=r
        ).inc
        self.queue_depth = self._gauge("nightjar_queue_depth", "Predictions waiting for their turn", "livesum").set
        self.in_flight = self._gauge("nightjar_in_flight", "Predictions in work", "livesum").set
        self._gauge("nightjar_workers", "Processes that serve", "livesum").set(1)
        self._gauge("nightjar_load_seconds", "Time to load and prove the bundle", "livemax").set(load_seconds)
        self._gauge("nightjar_model_info", "What is served", "livemax", *Identity._fields).labels(*identity).set(1)

    def _gauge(self, name: str, text: str, mode: Any, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry, multiprocess_mode=mode)

    def finished(self, request: Finished) -> None:
        """Hot path. Health checks have a route of their own, and so a latency of their own."""
        route, status = request.route, request.status
        seconds = request.ended - request.started
        with self._lock:
            seen = self._seen.get((route, status))
            if seen is None:
                seen = self._seen[route, status] = _Seen()
            seen.seconds += seconds
            seen.buckets[bisect_left(SECONDS, seconds)] += 1
        if request.cache:
            self._cache[request.cache]()
        if status >= 400:
            self._errors[route, "4xx" if status < 500 else "5xx"]()
        if request.refusal:
            known = request.refusal in self._refusals or len(self._refusals) < REASONS
            self._refusals[request.refusal if known else "other"]()
        if request.warnings:
            self._warnings.inc(request.warnings)

    def flush(self) -> None:
        """Puts what was seen since the last call where other processes can read it; to be called some times a second.

        The library's own ``observe`` and ``inc`` write to a shared file, three times a request: half of what telemetry cost.
        """
        with self._lock:
            seen, self._seen = self._seen, {}
            labels, self._labels = self._labels, [0, 0]
        for count, inc in zip(labels, self._predictions, strict=True):
            inc(count)
        for (route, status), one in seen.items():
            self._requests.labels(route, str(status)).inc(sum(one.buckets))
            child = self._latency.labels(route)
            child._sum.inc(one.seconds)
            for bucket, count in zip(child._buckets, one.buckets, strict=True):
                if count:
                    bucket.inc(count)

    def predicted(self, label: int) -> None:
        """Hot path."""
        with self._lock:
            self._labels[label] += 1

    def exposition(self) -> tuple[bytes, str]:
        """The text of all processes (of this one, where no folder was prepared), and its content type."""
        self.flush()
        registry = self._registry
        if folder := os.environ.get(FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry, folder)
        return generate_latest(registry), CONTENT_TYPE_LATEST


class _Seen:
    """Requests of one route and status: their seconds added up, and how many fell into each of :data:`SECONDS`, or beyond."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = [0] * (len(SECONDS) + 1)


class _Children(dict[Any, Callable[..., None]]):
    """A dictionary that resolves a label the first time it is asked for it."""

    def __init__(self, resolve: Callable[[Any], Callable[..., None]]) -> None:
        super().__init__()
        self._resolve = resolve

    def __missing__(self, key: Any) -> Callable[..., None]:
        self[key] = self._resolve(key)
        return self[key]
