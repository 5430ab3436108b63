"""Tracking never fails a job and hardly delays it, whatever the server does."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from include.training import tracking
from include.training.findings import Findings

FOUND = Findings(workload="shop", job="nj-shop-train-k", metrics={"auc": 0.7})


def _never() -> Findings:
    raise AssertionError("nobody needs them")


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_without_a_server_nothing_is_done(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv(tracking.URI, raising=False)
    assert not tracking.track(_never)
    assert not caplog.records


def test_a_dead_server_is_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv(tracking.URI, f"http://user:secret@127.0.0.1:{port}")
    assert not tracking.track(_never)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the server at 127.0.0.1 does not answer" in record.message and "The job goes on." in record.message
    assert "secret" not in record.message


def test_a_server_that_hangs_delays_a_job_by_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silent: str
) -> None:
    monkeypatch.setenv(tracking.URI, silent)
    monkeypatch.setattr(tracking, "LIMIT_SECONDS", 0.5)
    assert not tracking.track(lambda: FOUND)
    assert "took longer than" in caplog.text


def test_whatever_fails_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silent: str
) -> None:
    def fails() -> Findings:
        raise KeyboardInterrupt("stop")

    monkeypatch.setenv(tracking.URI, silent)
    assert not tracking.track(fails)
    assert "KeyboardInterrupt: stop" in caplog.text


def test_a_job_without_a_name_is_not_tracked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silent: str
) -> None:
    monkeypatch.setenv(tracking.URI, silent)
    assert not tracking.track(lambda: Findings(workload="shop", job=""))
    assert "does not say which training job this is" in caplog.text


@pytest.mark.parametrize(
    ("uri", "job"),
    [
        ("s3://artifact/jobs/shop/train/k/nj-shop-train-k-a2/output/model.tar.gz", "nj-shop-train-k-a2"),
        ("", ""),
        ("model.tar.gz", ""),
    ],
)
def test_the_address_of_a_model_names_its_training_job(uri: str, job: str) -> None:
    assert tracking.job_of(uri) == job
