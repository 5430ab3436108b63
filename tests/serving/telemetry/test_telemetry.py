"""All parts together, as a worker has them."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from serving import logs
from serving.telemetry import Telemetry
from tests.serving.telemetry.conftest import IDENTITY, finished, prediction, settings
from tests.serving.telemetry.test_lines import fill
from tests.serving.telemetry.test_metrics import samples

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("restored_logs")]


@pytest.fixture
def make(prepared: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Telemetry]:
    """A telemetry whose stdout is the pipe; not started."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    stdout = os.fdopen(os.dup(pipe[1]), "w")

    def make(**changes: object) -> Telemetry:
        monkeypatch.setattr(sys, "stdout", stdout)  # here: pytest sets it anew between the fixtures and the test
        logs.configure()
        return Telemetry(settings(**changes), IDENTITY, 1.5)

    return make


def told(pipe: tuple[int, int]) -> list[dict]:
    os.set_blocking(pipe[0], False)
    try:
        return [json.loads(line) for line in os.read(pipe[0], 1_000_000).splitlines()]
    except BlockingIOError:
        return []


def test_no_thread_before_the_start(make):
    before = threading.active_count()
    telemetry = make(prediction_log="kinesis://x", metrics_namespace="N")
    telemetry.finished(finished())
    assert threading.active_count() == before
    telemetry.stop(1)


def test_the_log_has_requests_ordinary_lines_and_a_last_embedded_metric(make, pipe):
    telemetry = make(access_log_lines=100, metrics_namespace="Nightjar", metrics_interval_seconds=3600)
    telemetry.start()
    telemetry.finished(finished())
    telemetry.finished(finished(route="/health", path="/health"))
    telemetry.finished(finished(route="/ready", path="/ready", status=503))
    logging.getLogger("serving").warning("something")
    telemetry.stop(5)
    access, ordinary, embedded = told(pipe)
    assert (access["message"], access["path"]) == ("request", "/predict")
    assert (ordinary["level"], ordinary["message"]) == ("WARNING", "something")
    assert embedded["Requests"] == 1
    logging.getLogger("serving").info("the end")
    assert told(pipe)[0]["message"] == "the end"
    telemetry.stop(5)


def test_embedded_metrics_come_at_their_interval(make, pipe):
    telemetry = make(metrics_namespace="Nightjar", metrics_interval_seconds=1)
    telemetry.start()
    telemetry.depths(4, 1)
    telemetry.finished(finished())
    os.set_blocking(pipe[0], True)
    assert json.loads(os.read(pipe[0], 100_000))["QueueDepth"] == 4
    telemetry.stop(5)


def test_without_lines_and_namespace_the_log_has_nothing_of_it(make, pipe):
    telemetry = make()
    telemetry.start()
    telemetry.finished(finished())
    telemetry.stop(5)
    assert told(pipe) == []


def test_a_stdout_that_nobody_reads_holds_up_neither_requests_nor_the_end(make, pipe):
    telemetry = make(access_log_lines=10)
    fill(pipe[1])
    telemetry.start()

    def work() -> None:
        for _ in range(3000):
            telemetry.finished(finished())
            logging.getLogger("serving").warning("an ordinary line")
        telemetry.stop(0.3)
        logging.getLogger("serving").warning("a line after the end")

    working = threading.Thread(target=work, daemon=True)
    working.start()
    working.join(10)
    alive = working.is_alive()
    os.set_blocking(pipe[0], False)
    seen = samples(telemetry.metrics()[0])
    os.read(pipe[0], 1_000_000)  # lets go whoever waits
    assert not alive
    assert seen["nightjar_requests_total", "/predict", "200"] == 3000
    assert seen["nightjar_dropped_total", "log_lines"] > 3000


def test_metrics_tell_of_depths_predictions_and_losses(make):
    telemetry = make(prediction_log="kinesis://x", prediction_log_records=2)
    telemetry.depths(3, 2)
    for number in range(5):
        telemetry.predicted(prediction(number))
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_queue_depth",], seen["nightjar_in_flight",]) == (3, 2)
    assert seen["nightjar_predictions_total", "1"] == 5
    assert seen["nightjar_dropped_total", "predictions"] == 3


def test_no_failure_of_it_reaches_a_request(make, pipe):
    telemetry = make(access_log_lines=100, prediction_log="kinesis://x")
    telemetry.start()
    for _ in range(3):
        telemetry.finished(finished(status="bad"))
        telemetry.finished(finished(request_id="\ud800"))
        telemetry.predicted(None)
    assert samples(telemetry.metrics()[0])["nightjar_telemetry_failures_total",] == 9
    telemetry.stop(5)
    assert sum("Telemetry failed" in line["message"] for line in told(pipe)) == 1


def test_a_ratio_without_a_collector_is_one_warning(make, pipe):
    telemetry = make(trace_ratio=1.0)
    telemetry.start()
    telemetry.finished(finished(trace_header=b"Sampled=1"))
    telemetry.stop(5)
    (line,) = told(pipe)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT does not name a collector" in line["message"]


def test_the_end_sends_what_waits(make, pipe, client):
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="at-the-end", ShardCount=1)
    telemetry = make(prediction_log="kinesis://at-the-end")
    telemetry.start()
    for number in range(10):
        telemetry.predicted(prediction(number))
    telemetry.stop(5)
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_predictions_sent_total",], seen["nightjar_dropped_total", "predictions"]) == (10, 0)
