"""Telemetry: Prometheus metrics, CloudWatch metrics in the log, access log, traces, and the prediction log.

The supervisor calls :func:`prepare` and :func:`worker_died`. A worker makes one :class:`Telemetry` after the fork. No
part does I/O on the request path, and telemetry errors never fail a request.

A request only adds an event to a list. The events are recorded together, which costs less: when there are
:data:`RECORDED_TOGETHER`, twice a second, when metrics are read, and at the end. An ordinary log line is an event too,
so the order of lines holds, and logging takes no lock: it may happen anywhere, also while events are recorded.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from serving import clock, logs
from serving.settings import Settings
from serving.telemetry import access_log, emf
from serving.telemetry.events import Finished, Prediction, Recorder, ServedModel
from serving.telemetry.line_buffer import LineBuffer
from serving.telemetry.metrics import Metrics, prepare, worker_died
from serving.telemetry.prediction_log import PredictionLog
from serving.telemetry.stages import Stages
from serving.telemetry.streams import open_stream

if TYPE_CHECKING:
    from serving.telemetry.tracing import Tracing

__all__ = ["Finished", "Prediction", "Recorder", "ServedModel", "Telemetry", "prepare", "worker_died"]

OTHER_LINES = 1000  # buffered embedded metrics and ordinary log lines
TICK_SECONDS = 0.5
RECORDED_TOGETHER = 100
log = logging.getLogger(__name__)


class Telemetry:
    """The telemetry of one worker. Make it in the worker; its threads begin in :meth:`start`.

    Args:
        settings: The service's settings.
        model: The served model.
        load_seconds: Time to load and verify the bundle.
    """

    def __init__(self, settings: Settings, model: ServedModel, load_seconds: float) -> None:
        self._settings = settings
        self._model = model
        self._metrics = Metrics(model, load_seconds)
        self._window = emf.Window() if settings.metrics_namespace else None
        self._lines = LineBuffer(settings.access_log_lines + OTHER_LINES, sys.stdout.fileno(), self._on_dropped_line)
        self._logs_scored = settings.access_log_predictions or settings.prediction_log is None
        self._tracing: Tracing | None = None
        self._prediction_log = self._make_prediction_log()
        self._stages = Stages(self._metrics.failures)
        self._of_requests: list[Callable[..., None]] = [self._metrics.finished]
        self._of_predictions: list[Callable[..., None]] = [self._count_predictions]
        if self._window is not None:
            self._of_requests.append(self._window.finished)
            self._of_predictions.append(self._count_scores)
        if settings.access_log_lines > 0:
            self._of_requests.append(self._log_access)
        if self._prediction_log is not None:
            self._of_predictions.append(self._prediction_log.add)
        self._offset = clock.offset()
        self._events: deque[Finished | Prediction | bytes] = deque()
        self._recording = threading.Lock()
        self._queue = self._in_flight = 0
        self._stopping = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="telemetry", daemon=True)

    def _make_prediction_log(self) -> PredictionLog | None:
        target, limit = self._settings.prediction_log, self._settings.prediction_log_records
        if target is None:
            return None
        stream = open_stream(target)
        return PredictionLog(stream, self._model, limit, self._metrics.sent, self._on_dropped_predictions)

    def start(self) -> None:
        """Starts the threads, and writes ordinary log lines through the buffer too."""
        self._lines.start()
        logs.write_buffered(self._put_ordinary_line)
        self._tracing = self._make_tracing()
        if self._prediction_log:
            self._prediction_log.start()
        self._ticker.start()

    def _make_tracing(self) -> Tracing | None:
        settings = self._settings
        if settings.otel_sdk_disabled:
            return None
        if not settings.traces_to_xray and settings.otel_exporter_otlp_endpoint is None:
            if settings.trace_ratio > 0:
                log.warning(
                    "Nothing is traced: TRACE_RATIO is set, but TRACES_TO_XRAY is not, and OTEL_EXPORTER_OTLP_ENDPOINT "
                    "does not name a collector"
                )
            return None
        # Imported here: OpenTelemetry is large, and a service that traces nothing does not need it.
        from serving.telemetry import tracing, xray

        to_xray = settings.traces_to_xray
        exporter = xray.XRayExporter(self._metrics.dropped_traces) if to_xray else tracing.otlp_exporter()
        rng = random.Random()
        sampler = tracing.Sampler(settings.trace_ratio, rng, settings.traces_per_second)
        return tracing.Tracing(self._model, exporter, sampler, rng)

    def finished(self, request: Finished) -> None:
        """Records an answered request. On the request path."""
        self._events.append(request)
        if len(self._events) >= RECORDED_TOGETHER:
            self._record(wait=False)

    def predicted(self, prediction: Prediction) -> None:
        """Records a scored record. On the request path."""
        self._events.append(prediction)
        if len(self._events) >= RECORDED_TOGETHER:
            self._record(wait=False)

    def _record(self, *, wait: bool = True) -> None:
        """Records the events that wait. If another thread is doing it, waits for it or leaves it to do so."""
        if not self._recording.acquire(blocking=wait):
            return
        request_id = logs.request_id.set("")  # what is logged meanwhile belongs to no request
        try:
            while self._events:
                together = min(len(self._events), RECORDED_TOGETHER)
                self._record_together([self._events.popleft() for _ in range(together)])
        finally:
            logs.request_id.reset(request_id)
            self._recording.release()

    def _record_together(self, events: Sequence[Finished | Prediction | bytes]) -> None:
        requests: list[Finished] = []
        predictions: list[Prediction] = []
        for event in events:
            if isinstance(event, Finished):
                requests.append(event)
            elif isinstance(event, bytes):
                self._record_finished(requests)  # before it, so that the order of the lines holds
                requests = []
                self._stages.record([event], (), [self._lines.put])
            else:
                predictions.append(event)
        self._record_finished(requests)
        self._record_predictions(predictions)

    def _record_finished(self, requests: Sequence[Finished]) -> None:
        if requests:
            self._stages.record(requests, self._of_requests, [self._trace] if self._tracing else [])

    def _record_predictions(self, predictions: Sequence[Prediction]) -> None:
        if predictions:
            self._stages.record(predictions, self._of_predictions)

    def _log_access(self, *requests: Finished) -> None:
        logged = [one for one in requests if not one.quiet and (self._logs_scored or not _is_scored(one))]
        if logged:
            self._lines.put(access_log.lines(logged, self._offset), len(logged))

    def _trace(self, request: Finished) -> None:
        if self._tracing is not None and self._tracing.wants(request.trace_header):
            self._tracing.finished(request, self._offset)

    def _count_predictions(self, *predictions: Prediction) -> None:
        self._metrics.predicted(*[one.prediction for one in predictions])

    def _count_scores(self, *predictions: Prediction) -> None:
        if self._window is not None:
            self._window.scored(*[one.probability for one in predictions])

    def _put_ordinary_line(self, line: bytes) -> None:
        self._events.append(line)

    def depths(self, waiting: int, in_flight: int) -> None:
        """Records how many predictions wait for the engine and how many are in progress.

        The gauges follow twice a second. The embedded metrics have the largest value seen at those times.
        """
        self._queue, self._in_flight = waiting, in_flight

    def metrics(self) -> tuple[bytes, str]:
        """Returns the Prometheus text of all workers of the task, and its content type."""
        self._record()
        self._update_gauges()
        return self._metrics.exposition()

    def stop(self, seconds: float) -> None:
        """Sends and writes what is buffered, all within this time. Does nothing if not started, or already stopped."""
        if not self._ticker.is_alive():
            return
        deadline = time.monotonic() + seconds
        self._stopping.set()
        self._record()
        if self._prediction_log:
            self._prediction_log.end(0.8 * seconds)
        if self._tracing:
            self._tracing.stop(0.8 * seconds)
        if self._prediction_log:
            self._prediction_log.join()
        self._ticker.join(max(0.0, deadline - time.monotonic()))
        self._record()
        self._update_gauges()
        self._write_embedded()
        self._record()  # log lines of the meantime
        if self._lines.stop(deadline - time.monotonic()):
            # Otherwise stdout is blocked, and a line written to it directly would keep the process from ending.
            logs.write_directly()

    def _tick(self) -> None:
        interval = self._settings.metrics_interval_seconds
        due = time.monotonic() + interval
        while not self._stopping.wait(TICK_SECONDS):
            self._offset = clock.offset()
            self._record()
            self._update_gauges()
            if time.monotonic() >= due:
                due += interval
                self._write_embedded()

    def _update_gauges(self) -> None:
        self._metrics.flush()
        self._metrics.queue_depth(self._queue)
        self._metrics.in_flight(self._in_flight)
        if self._window is not None:
            self._window.depths(self._queue, self._in_flight)

    def _write_embedded(self) -> None:
        namespace = self._settings.metrics_namespace
        if self._window is not None and namespace is not None:
            self._lines.put(emf.line(namespace, self._model, self._window.take(), time.time()))

    def _on_dropped_line(self) -> None:
        self._metrics.dropped_lines()
        if self._window is not None:
            self._window.count("DroppedLines", 1)

    def _on_dropped_predictions(self, count: int) -> None:
        self._metrics.dropped_predictions(count)
        if self._window is not None:
            self._window.count("DroppedPredictions", count)


def _is_scored(request: Finished) -> bool:
    """Whether the request is in the prediction log."""
    return request.scores and request.status == 200
