"""All parts together, as a worker has them."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any, Protocol

import pytest

from serving import logs
from serving.telemetry import Telemetry, prediction_log
from serving.telemetry.line_buffer import LineBuffer
from tests.support.moto_cloud import MotoCloud
from tests.support.serving_state import make_settings
from tests.support.telemetry import MODEL, fill, finished, health_check, prediction, samples

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("restored_logs")]


class MakeTelemetry(Protocol):
    """The fixture ``make``."""

    def __call__(self, **changes: object) -> Telemetry: ...


@pytest.fixture
def make(metrics_folder: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> MakeTelemetry:
    """Makes a telemetry whose stdout is the pipe, without starting it."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    stdout = os.fdopen(os.dup(pipe[1]), "w")

    def make(**changes: object) -> Telemetry:
        monkeypatch.setattr(sys, "stdout", stdout)  # here, because pytest replaces it between the fixtures and the test
        logs.configure()
        return Telemetry(make_settings(**{"access_log_lines": 0, **changes}), MODEL, 1.5)

    return make


def written(pipe: tuple[int, int]) -> list[dict[str, Any]]:
    """The lines on stdout since the last call."""
    os.set_blocking(pipe[0], False)
    try:
        return [json.loads(line) for line in os.read(pipe[0], 1_000_000).splitlines()]
    except BlockingIOError:
        return []


def test_no_thread_before_the_start(make: MakeTelemetry):
    before = threading.active_count()
    telemetry = make(prediction_log="kinesis://x", metrics_namespace="N")
    telemetry.finished(finished())
    assert threading.active_count() == before
    telemetry.stop(1)


def test_the_log_has_requests_ordinary_lines_and_a_last_embedded_metric(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(access_log_lines=100, metrics_namespace="Nightjar", metrics_interval_seconds=3600)
    telemetry.start()
    telemetry.finished(finished())
    telemetry.finished(health_check())
    telemetry.finished(health_check(route="/ready", path="/ready", status=503))
    logging.getLogger("serving").warning("something")
    telemetry.stop(5)
    access, ordinary, embedded = written(pipe)
    assert (access["message"], access["path"]) == ("request", "/predict")
    assert (ordinary["level"], ordinary["message"]) == ("WARNING", "something")
    assert embedded["Requests"] == 1
    logging.getLogger("serving").info("the end")
    assert written(pipe)[0]["message"] == "the end"
    telemetry.stop(5)


def test_embedded_metrics_are_written_at_their_interval(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(metrics_namespace="Nightjar", metrics_interval_seconds=1)
    telemetry.start()
    telemetry.depths(4, 1)
    telemetry.finished(finished())
    os.set_blocking(pipe[0], True)
    assert json.loads(os.read(pipe[0], 100_000))["QueueDepth"] == 4
    telemetry.stop(5)


def test_an_access_line_does_not_wait_for_further_requests(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(access_log_lines=100)
    telemetry.start()
    telemetry.finished(finished())
    os.set_blocking(pipe[0], True)
    assert json.loads(os.read(pipe[0], 100_000))["message"] == "request"
    telemetry.stop(5)


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"access_log_predictions": False}, ["/feedback", "/refused"]),
        ({"access_log_predictions": False, "prediction_log": None}, ["/predict", "/feedback", "/refused"]),
        ({}, ["/predict", "/feedback", "/refused"]),
    ],
)
def test_a_prediction_that_is_logged_as_such_may_be_left_out(
    make: MakeTelemetry, pipe: tuple[int, int], changes: dict[str, Any], paths: list[str]
):
    telemetry = make(access_log_lines=100, **{"prediction_log": "kinesis://x", **changes})
    telemetry.start()
    telemetry.finished(finished())
    telemetry.finished(finished(path="/feedback", scores=False))
    telemetry.finished(finished(path="/refused", status=422))
    telemetry.stop(5)
    assert [line["path"] for line in written(pipe) if line["message"] == "request"] == paths


def test_without_access_log_and_namespace_nothing_is_written(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make()
    telemetry.start()
    telemetry.finished(finished())
    telemetry.stop(5)
    assert written(pipe) == []


def test_a_stdout_that_nobody_reads_delays_neither_requests_nor_the_end(make: MakeTelemetry, pipe: tuple[int, int]):
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
    working.join(60)
    alive = working.is_alive()
    os.set_blocking(pipe[0], False)
    seen = samples(telemetry.metrics()[0])
    os.read(pipe[0], 1_000_000)  # unblocks the writers
    assert not alive
    assert seen["nightjar_requests_total", "/predict", "200"] == 3000
    assert seen["nightjar_dropped_total", "log_lines"] > 3000


def test_metrics_have_depths_predictions_and_losses(make: MakeTelemetry):
    telemetry = make(prediction_log="kinesis://x", prediction_log_records=2)
    telemetry.depths(3, 2)
    for number in range(5):
        telemetry.predicted(prediction(number))
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_queue_depth",], seen["nightjar_in_flight",]) == (3, 2)
    assert seen["nightjar_predictions_total", "1"] == 5
    assert seen["nightjar_dropped_total", "predictions"] == 3


def test_its_errors_never_reach_a_request(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(access_log_lines=100, prediction_log="kinesis://x")
    telemetry.start()
    nothing: Any = None
    for _ in range(3):
        telemetry.finished(finished(status="bad"))
        telemetry.finished(finished(request_id="\ud800"))
        telemetry.predicted(nothing)
    assert samples(telemetry.metrics()[0])["nightjar_telemetry_failures_total",] == 9
    telemetry.stop(5)
    failures = [line for line in written(pipe) if "Telemetry failed" in line["message"]]
    assert len(failures) == 1 and "Traceback" in failures[0]["traceback"]


def test_a_bad_probability_makes_nothing_count_twice(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(prediction_log="kinesis://x", metrics_namespace="N", metrics_interval_seconds=3600)
    telemetry.start()
    bad: Any = None
    for number in range(9):
        telemetry.predicted(prediction(number))
    telemetry.predicted(prediction(9)._replace(probability=bad))
    seen = samples(telemetry.metrics()[0])
    assert seen["nightjar_predictions_total", "1"] == 10
    assert seen["nightjar_telemetry_failures_total",] == 1
    telemetry.stop(5)
    (embedded,) = [line for line in written(pipe) if "_aws" in line]
    assert embedded["Score"]["Counts"] == [9]


def test_an_ordinary_line_that_fails_spoils_no_request_and_nothing_after_it(
    make: MakeTelemetry, monkeypatch: pytest.MonkeyPatch
):
    put = LineBuffer.put

    def fail(buffer: LineBuffer, lines: bytes, count: int = 1) -> None:
        if b"ordinary" in lines:
            raise MemoryError
        put(buffer, lines, count)

    monkeypatch.setattr(LineBuffer, "put", fail)
    telemetry = make(access_log_lines=100)
    telemetry.start()
    logging.getLogger("serving").warning("an ordinary line")
    for _ in range(150):
        telemetry.finished(finished())
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_requests_total", "/predict", "200"], seen["nightjar_telemetry_failures_total",]) == (150, 1)
    telemetry.stop(5)


def test_what_is_logged_while_events_are_recorded_belongs_to_no_request_and_loses_nothing(
    make: MakeTelemetry, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prediction_log, "RECORD_BYTES", 10)
    telemetry = make(prediction_log="kinesis://x")
    telemetry.start()
    token = logs.request_id.set("the request that is the hundredth")
    for number in range(150):
        telemetry.predicted(prediction(number))
    logs.request_id.reset(token)
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_telemetry_failures_total",], seen["nightjar_dropped_total", "predictions"]) == (0, 150)
    telemetry.stop(5)
    dropped = [line for line in written(pipe) if "a stream takes 10" in json.dumps(line)]
    assert len(dropped) == 150 and not any("request_id" in line for line in dropped)


def test_a_ratio_without_a_collector_is_one_warning(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(trace_ratio=1.0)
    telemetry.start()
    telemetry.finished(finished(trace_header=b"Sampled=1"))
    telemetry.stop(5)
    (line,) = written(pipe)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT does not name a collector" in line["message"]


def test_the_switch_of_every_opentelemetry_sdk_turns_tracing_off(make: MakeTelemetry, pipe: tuple[int, int]):
    telemetry = make(trace_ratio=1.0, otel_sdk_disabled=True, otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    before = set(threading.enumerate())
    telemetry.start()
    sending = [thread.name for thread in set(threading.enumerate()) - before if "BatchSpan" in thread.name]
    telemetry.finished(finished(trace_header=b"Sampled=1"))
    telemetry.stop(5)
    assert (sending, written(pipe)) == ([], [])


def test_the_end_sends_what_is_buffered(make: MakeTelemetry, cloud: MotoCloud):
    cloud.client("kinesis").create_stream(StreamName="at-the-end", ShardCount=1)
    telemetry = make(prediction_log="kinesis://at-the-end")
    telemetry.start()
    for number in range(10):
        telemetry.predicted(prediction(number))
    telemetry.stop(5)
    seen = samples(telemetry.metrics()[0])
    assert (seen["nightjar_predictions_sent_total",], seen["nightjar_dropped_total", "predictions"]) == (10, 0)
