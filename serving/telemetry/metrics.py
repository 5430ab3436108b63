"""Prometheus metrics of a task: every worker writes to files of its own, and any worker reads them all."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from serving.telemetry.events import Finished, ServedModel

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REASONS = 32  # different reasons of refusals; a label with unlimited values would fill the files


def prepare(folder: Path) -> None:
    """Prepares the folder of the metrics. Call it in the supervisor, before the fork.

    Makes the folder, readable by this user only, empties it, and makes the library use it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in folder.glob("*.db"):
        leftover.unlink()
    os.environ[FOLDER] = str(folder)
    # The library reads the variable when it is imported, which may have happened already.
    values.ValueClass = values.MultiProcessValue()


def worker_died(pid: int) -> None:
    """Drops the gauges of a dead worker. Its counts stay. Call it in the supervisor."""
    multiprocess.mark_process_dead(pid, os.environ[FOLDER])


class Metrics:
    """The metrics of one worker. Labels are resolved once, so the request path only looks in dictionaries.

    Args:
        model: The served model.
        load_seconds: Time to load and verify the bundle.
    """

    def __init__(self, model: ServedModel, load_seconds: float) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("nightjar_requests", "Requests answered", "route", "status")
        self._latency = Histogram(
            "nightjar_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self._registry
        )
        errors = self._counter("nightjar_errors", "Answers 4xx and 5xx", "route", "kind")
        refusals = self._counter("nightjar_refusals", "Requests refused", "reason")
        cache = self._counter("nightjar_cache", "Predictions looked up in the cache", "result")
        dropped = self._counter("nightjar_dropped", "Log lines, predictions and traces that were dropped", "what")
        predictions = self._counter("nightjar_predictions", "Predictions passed to the prediction log", "prediction")
        self._lock = threading.Lock()
        self._seen: defaultdict[tuple[str, int], _Tally] = defaultdict(_Tally)
        self._labels = [0, 0]
        self._errors = _Incrementers[tuple[str, str]](lambda key: errors.labels(*key).inc)
        self._refusals = _Incrementers[str](lambda reason: refusals.labels(reason).inc)
        self._cache = {result: cache.labels(result).inc for result in ("hit", "miss")}
        self._predictions = [predictions.labels(str(label)).inc for label in (0, 1)]
        self._warnings = self._counter("nightjar_request_warnings", "Values outside the range seen in training")
        self.dropped_lines = dropped.labels("log_lines").inc
        self.dropped_predictions = dropped.labels("predictions").inc
        self.dropped_traces = dropped.labels("traces").inc
        self.sent = self._counter("nightjar_predictions_sent", "Predictions that the stream has accepted").inc
        self.failures = self._counter("nightjar_telemetry_failures", "Requests that telemetry failed to record").inc
        self.queue_depth = self._gauge("nightjar_queue_depth", "Predictions waiting for the engine", "livesum").set
        self.in_flight = self._gauge("nightjar_in_flight", "Predictions in progress", "livesum").set
        self._gauge("nightjar_workers", "Workers that serve", "livesum").set(1)
        self._gauge("nightjar_load_seconds", "Time to load and verify the bundle", "livemax").set(load_seconds)
        self._gauge("nightjar_model_info", "The served model", "livemax", *ServedModel._fields).labels(*model).set(1)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, mode: Literal["livesum", "livemax"], *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry, multiprocess_mode=mode)

    def finished(self, *requests: Finished) -> None:
        """Counts all of these requests, or raises before it counts any, where one has no valid fields.

        Health checks have routes, and so latencies, of their own.
        """
        seconds: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        others: list[Callable[[], None]] = []
        for one in requests:
            seconds[one.route, one.status].append(one.ended - one.started)
            if one.status >= 400 or one.refusal or one.cache or one.warnings:
                others += self._increments(one)
        with self._lock:
            for key, values in seconds.items():
                tally = self._seen[key]
                tally.seconds += sum(values)
                for value in values:
                    tally.buckets[bisect_left(SECONDS, value)] += 1
        for increment in others:
            increment()

    def _increments(self, request: Finished) -> Iterator[Callable[[], None]]:
        """What counts that few requests have."""
        if request.cache:
            yield self._cache[request.cache]
        if request.status >= 400:
            yield self._errors[request.route, "4xx" if request.status < 500 else "5xx"]
        if request.refusal:
            known = request.refusal in self._refusals or len(self._refusals) < REASONS
            yield self._refusals[request.refusal if known else "other"]
        if request.warnings:
            yield partial(self._warnings.inc, request.warnings)

    def predicted(self, *labels: int) -> None:
        """Counts all of these predictions, or raises before it counts any, where one has no valid label."""
        counted = [0, 0]
        for label in labels:
            counted[label] += 1
        with self._lock:
            self._labels = [before + more for before, more in zip(self._labels, counted, strict=True)]

    def flush(self) -> None:
        """Writes what was counted since the last call to the shared files. Call it a few times a second.

        The library's own ``observe`` and ``inc`` write to a shared file three times per request, which was half of the
        cost of telemetry.
        """
        with self._lock:
            seen, self._seen = self._seen, defaultdict(_Tally)
            labels, self._labels = self._labels, [0, 0]
        for count, inc in zip(labels, self._predictions, strict=True):
            inc(count)
        for (route, status), tally in seen.items():
            self._requests.labels(route, str(status)).inc(sum(tally.buckets))
            child = self._latency.labels(route)
            child._sum.inc(tally.seconds)
            for bucket, count in zip(child._buckets, tally.buckets, strict=True):
                if count:
                    bucket.inc(count)

    def exposition(self) -> tuple[bytes, str]:
        """Returns the text of all workers, or of this one if no folder was prepared, and its content type."""
        self.flush()
        registry = self._registry
        if folder := os.environ.get(FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry, folder)
        return generate_latest(registry), CONTENT_TYPE_LATEST


class _Tally:
    """Requests of one route and status: sum of their seconds, and number in each bucket of :data:`SECONDS`."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = [0] * (len(SECONDS) + 1)


class _Incrementers[Key: Hashable](dict[Key, Callable[[], None]]):
    """A dictionary that resolves a label's counter on first use."""

    def __init__(self, resolve: Callable[[Key], Callable[[], None]]) -> None:
        super().__init__()
        self._resolve = resolve

    def __missing__(self, key: Key) -> Callable[[], None]:
        self[key] = self._resolve(key)
        return self[key]
