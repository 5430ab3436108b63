from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.telemetry import ServedModel, metrics
from serving.telemetry.metrics import Metrics
from tests.support.telemetry import MODEL, finished, health_check, samples


def in_a_child(work: Callable[[], None]) -> int:
    """Runs ``work`` in a forked process and returns its pid after it has ended."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    return pid


def exposed(counted: Metrics) -> dict[tuple[str, ...], float]:
    return samples(counted.exposition()[0])


@pytest.mark.usefixtures("metrics_folder")
def test_one_worker_exposes_what_it_counted():
    counted = Metrics(MODEL, 1.5)
    counted.finished(finished(cache="miss", warnings=2))
    counted.finished(finished(cache="hit", ended=100.7))
    counted.finished(finished(status=422, refusal="invalid"))
    counted.finished(finished(status=503, refusal="overload", route="other"))
    counted.queue_depth(3)
    text, content_type = counted.exposition()
    seen = samples(text)
    assert content_type.startswith("text/plain")
    assert seen["nightjar_requests_total", "/predict", "200"] == 2
    assert seen["nightjar_requests_total", "/predict", "422"] == 1
    assert seen["nightjar_errors_total", "4xx", "/predict"] == 1
    assert seen["nightjar_errors_total", "5xx", "other"] == 1
    assert seen["nightjar_refusals_total", "overload"] == 1
    assert (seen["nightjar_cache_total", "hit"], seen["nightjar_cache_total", "miss"]) == (1, 1)
    assert seen["nightjar_request_warnings_total",] == 2
    assert seen["nightjar_request_seconds_bucket", "0.005", "/predict"] == 2
    assert seen["nightjar_request_seconds_bucket", "+Inf", "/predict"] == 3
    assert (seen["nightjar_queue_depth",], seen["nightjar_load_seconds",], seen["nightjar_workers",]) == (3, 1.5, 1)
    assert seen["nightjar_model_info", "0" * 64, "onnxruntime", "7", "texts"] == 1


@pytest.mark.usefixtures("metrics_folder")
def test_health_checks_have_a_latency_of_their_own():
    counted = Metrics(MODEL, 1.5)
    counted.finished(health_check())
    seen = exposed(counted)
    assert ("nightjar_request_seconds_count", "/predict") not in seen
    assert seen["nightjar_request_seconds_count", "/health"] == 1


@pytest.mark.stack
@pytest.mark.usefixtures("metrics_folder")
def test_any_worker_exposes_all_and_a_dead_one_has_no_gauges():
    def work() -> None:
        counted = Metrics(MODEL, 1.5)
        counted.finished(finished())
        counted.flush()
        counted.queue_depth(2)

    died, _ = in_a_child(work), in_a_child(work)
    here = Metrics(MODEL, 2.5)
    here.queue_depth(1)
    seen = exposed(here)
    assert seen["nightjar_requests_total", "/predict", "200"] == 2
    assert (seen["nightjar_queue_depth",], seen["nightjar_workers",]) == (5, 3)
    assert seen["nightjar_load_seconds",] == 2.5
    metrics.worker_died(died)
    seen = exposed(here)
    assert seen["nightjar_requests_total", "/predict", "200"] == 2
    assert (seen["nightjar_queue_depth",], seen["nightjar_workers",]) == (3, 2)


def test_the_folder_is_private_and_starts_empty(metrics_folder: Path):
    before = Metrics(ServedModel("texts", "6", "0" * 64, "onnxruntime"), 1.5)
    before.finished(finished())
    before.flush()
    assert stat.S_IMODE(metrics_folder.stat().st_mode) == 0o700
    metrics.prepare(metrics_folder)
    assert ("nightjar_requests_total", "/predict", "200") not in exposed(Metrics(MODEL, 1.5))


@pytest.mark.usefixtures("metrics_folder")
def test_reasons_beyond_the_limit_are_counted_as_other():
    counted = Metrics(MODEL, 1.5)
    for number in range(metrics.REASONS + 10):
        counted.finished(finished(status=422, refusal=f"reason {number}"))
    seen = {key: value for key, value in exposed(counted).items() if key[0] == "nightjar_refusals_total"}
    assert len(seen) == metrics.REASONS + 1
    assert seen["nightjar_refusals_total", "other"] == 10


def test_without_a_folder_a_worker_exposes_its_own_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(metrics.FOLDER, raising=False)
    counted = Metrics(MODEL, 1.5)
    counted.finished(finished())
    assert exposed(counted)["nightjar_requests_total", "/predict", "200"] == 1
