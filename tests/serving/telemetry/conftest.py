from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import values

from serving import logs
from serving.settings import Settings
from serving.telemetry import Finished, Identity, Prediction, metrics

IDENTITY = Identity("texts", "7", "0" * 64, "onnxruntime")


def settings(**changes: object) -> Settings:
    known = {"bundle_uri": "file:///bundle", "bundle_digest": "0" * 64, "model_version": "7", "workload": "texts"}
    return Settings.model_validate({**known, "access_log_lines": 0, **changes})


def finished(**changes: object) -> Finished:
    usual = Finished(
        method="POST",
        route="/predict",
        path="/predict",
        status=200,
        started=100.0,
        ended=100.0042,
        request_id="r-1",
        caller="",
        trace_header=b"",
        bytes_in=60,
        bytes_out=70,
        warnings=0,
        cache="",
        refusal="",
    )
    return usual._replace(**changes)


def prediction(number: int, **record: object) -> Prediction:
    return Prediction(f"r-{number}", {"text_length": 120, "num_keywords": 3, **record}, 0.75, 1)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the metrics of several processes."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(metrics.FOLDER, "")
    folder = tmp_path / "metrics"
    metrics.prepare(folder)
    yield folder


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """A pipe's ends: (reading, writing)."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def restored_logs() -> Iterator[None]:
    yield
    logs.restore()
