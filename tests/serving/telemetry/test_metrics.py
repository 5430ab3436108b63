from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.telemetry import Identity, metrics
from serving.telemetry.metrics import Metrics
from tests.serving.telemetry.conftest import IDENTITY, finished


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Value by name and label values (in the labels' alphabetical order)."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def in_a_child(work) -> int:
    """Runs ``work`` in a forked process; its pid once it has ended."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    return pid


def test_one_process_tells_what_it_counted(prepared: Path):
    told = Metrics(IDENTITY, 1.5)
    told.finished(finished(cache="miss", warnings=2))
    told.finished(finished(cache="hit", ended=100.7))
    told.finished(finished(status=422, refusal="invalid"))
    told.finished(finished(status=503, refusal="overload", route="other"))
    told.queue_depth(3)
    text, content_type = told.exposition()
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


def test_health_checks_have_a_latency_of_their_own(prepared: Path):
    told = Metrics(IDENTITY, 1.5)
    told.finished(finished(route="/health", path="/health"))
    assert ("nightjar_request_seconds_count", "/predict") not in samples(told.exposition()[0])


@pytest.mark.stack
def test_whoever_is_asked_tells_of_all_processes_and_a_dead_one_has_no_gauges(prepared: Path):
    def work() -> None:
        told = Metrics(IDENTITY, 1.5)
        told.finished(finished())
        told.flush()
        told.queue_depth(2)

    died, _ = in_a_child(work), in_a_child(work)
    here = Metrics(IDENTITY, 2.5)
    here.queue_depth(1)
    seen = samples(here.exposition()[0])
    assert seen["nightjar_requests_total", "/predict", "200"] == 2
    assert (seen["nightjar_queue_depth",], seen["nightjar_workers",]) == (5, 3)
    assert seen["nightjar_load_seconds",] == 2.5
    metrics.worker_died(died)
    seen = samples(here.exposition()[0])
    assert seen["nightjar_requests_total", "/predict", "200"] == 2
    assert (seen["nightjar_queue_depth",], seen["nightjar_workers",]) == (3, 2)


def test_the_folder_is_private_and_begins_empty(prepared: Path):
    before = Metrics(Identity("texts", "6", "0" * 64, "onnxruntime"), 1.5)
    before.finished(finished())
    before.flush()
    assert stat.S_IMODE(prepared.stat().st_mode) == 0o700
    metrics.prepare(prepared)
    assert ("nightjar_requests_total", "/predict", "200") not in samples(Metrics(IDENTITY, 1.5).exposition()[0])


def test_refusals_of_endless_kinds_are_told_as_other(prepared: Path):
    told = Metrics(IDENTITY, 1.5)
    for number in range(metrics.REASONS + 10):
        told.finished(finished(status=422, refusal=f"reason {number}"))
    seen = {key: value for key, value in samples(told.exposition()[0]).items() if key[0] == "nightjar_refusals_total"}
    assert len(seen) == metrics.REASONS + 1
    assert seen["nightjar_refusals_total", "other"] == 10


def test_without_a_folder_a_process_tells_of_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(metrics.FOLDER, raising=False)
    told = Metrics(IDENTITY, 1.5)
    told.finished(finished())
    assert samples(told.exposition()[0])["nightjar_requests_total", "/predict", "200"] == 1
