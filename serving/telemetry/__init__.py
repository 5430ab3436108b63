"""What the service tells: Prometheus metrics, CloudWatch metrics in the log, access lines, traces, and the prediction log.

``prepare`` and ``worker_died`` are the parent's. A worker makes one :class:`Telemetry` after the fork. Nothing here waits for
the outside, and no failure of it is a failure of a request.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
from typing import TYPE_CHECKING

from serving import logs
from serving.settings import Settings
from serving.telemetry import access_log, emf, times
from serving.telemetry.events import Finished, Identity, Prediction
from serving.telemetry.lines import Lines
from serving.telemetry.metrics import Metrics, prepare, worker_died
from serving.telemetry.prediction_log import PredictionLog

if TYPE_CHECKING:
    from serving.telemetry.tracing import Tracing

__all__ = ["Finished", "Identity", "Prediction", "Telemetry", "prepare", "worker_died"]

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"  # the standard's own variable
OTHER_LINES = 1000  # room for embedded metrics and ordinary log lines
TICK_SECONDS = 0.5
log = logging.getLogger(__name__)


class Telemetry:
    """Everything one worker tells. To be made in the worker; threads begin in :meth:`start`."""

    def __init__(self, settings: Settings, identity: Identity, load_seconds: float) -> None:
        self._settings = settings
        self._identity = identity
        self._metrics = Metrics(identity, load_seconds)
        self._window = emf.Window() if settings.metrics_namespace else None
        self._lines = Lines(settings.access_log_lines + OTHER_LINES, sys.stdout.fileno(), self._line_dropped)
        self._access = settings.access_log_lines > 0
        self._tracing: Tracing | None = None
        self._prediction_log = self._make_prediction_log()
        self._offset = times.offset()
        self._queue = self._in_flight = 0
        self._failed = False
        self._ending = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="telemetry", daemon=True)

    def _make_prediction_log(self) -> PredictionLog | None:
        settings, sent = self._settings, self._metrics.sent
        if settings.prediction_log is None:
            return None
        limit = settings.prediction_log_records
        return PredictionLog(settings.prediction_log, self._identity, limit, sent, self._predictions_dropped)

    def start(self) -> None:
        """Starts the threads, and takes ordinary log lines off the way of requests."""
        self._lines.start()
        logs.divert(self._lines.put)
        self._tracing = self._make_tracing()
        if self._prediction_log:
            self._prediction_log.start()
        self._ticker.start()

    def _make_tracing(self) -> Tracing | None:
        if os.environ.get(COLLECTOR):
            from serving.telemetry.tracing import (
                Tracing,
            )  # here: OpenTelemetry is large, and without a collector not needed

            return Tracing(self._identity, self._settings.trace_ratio, random.Random())
        if self._settings.trace_ratio > 0:
            log.warning("Nothing is traced: TRACE_RATIO is set, but %s does not name a collector", COLLECTOR)
        return None

    def finished(self, request: Finished) -> None:
        """Hot path: takes in one answered request."""
        try:
            self._metrics.finished(request)
            if self._window is not None:
                self._window.finished(request)
            if self._access and request.route not in access_log.QUIET:
                self._lines.put(access_log.line(request, request.ended + self._offset))
            if self._tracing is not None and self._tracing.wants(request.trace_header):
                self._tracing.finished(request, self._offset)
        except Exception:
            self._failure()

    def predicted(self, prediction: Prediction) -> None:
        """Hot path: takes in one answered record."""
        try:
            self._metrics.predicted(prediction.prediction)
            if self._prediction_log is not None:
                self._prediction_log.put(prediction)
        except Exception:
            self._failure()

    def depths(self, waiting: int, in_flight: int) -> None:
        """Predictions that wait, and predictions in work. The gauges follow twice a second; the embedded metrics tell the
        largest seen then.
        """
        self._queue, self._in_flight = waiting, in_flight

    def metrics(self) -> tuple[bytes, str]:
        """Prometheus exposition of all processes of this task, and its content type."""
        self._gauges()
        return self._metrics.exposition()

    def stop(self, seconds: float) -> None:
        """Sends and writes what waits, within this time altogether; nothing if it was not started or has been stopped."""
        if not self._ticker.is_alive():
            return
        deadline = time.monotonic() + seconds
        self._ending.set()
        if self._prediction_log:
            self._prediction_log.end(0.8 * seconds)
        if self._tracing:
            self._tracing.stop(0.8 * seconds)
        if self._prediction_log:
            self._prediction_log.join()
        self._ticker.join(max(0.0, deadline - time.monotonic()))
        self._gauges()
        self._embedded()
        if self._lines.stop(deadline - time.monotonic()):
            logs.restore()  # else stdout is stuck, and a line written to it directly would keep the process from its end

    def _tick(self) -> None:
        interval = self._settings.metrics_interval_seconds
        due = time.monotonic() + interval
        while not self._ending.wait(TICK_SECONDS):
            self._offset = times.offset()
            self._gauges()
            if time.monotonic() >= due:
                due += interval
                self._embedded()

    def _gauges(self) -> None:
        self._metrics.flush()
        self._metrics.queue_depth(self._queue)
        self._metrics.in_flight(self._in_flight)
        if self._window is not None:
            self._window.depths(self._queue, self._in_flight)

    def _embedded(self) -> None:
        namespace = self._settings.metrics_namespace
        if self._window is not None and namespace is not None:
            self._lines.put(emf.line(namespace, self._identity, self._window.take(), time.time()))

    def _line_dropped(self) -> None:
        self._metrics.dropped_lines()
        if self._window is not None:
            self._window.count("DroppedLines", 1)

    def _predictions_dropped(self, count: int) -> None:
        self._metrics.dropped_predictions(count)
        if self._window is not None:
            self._window.count("DroppedPredictions", count)

    def _failure(self) -> None:
        self._metrics.failures()
        if not self._failed:  # once: a bug in telemetry would otherwise write a traceback for every request
            self._failed = True
            log.exception("Telemetry failed to take in a request; further failures are only counted")
