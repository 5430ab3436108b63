"""Fixtures of the telemetry's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import values

from serving import logs
from serving.telemetry import metrics


@pytest.fixture
def metrics_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared folder for the metrics of several processes."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(metrics.FOLDER, "")
    folder = tmp_path / "metrics"
    metrics.prepare(folder)
    return folder


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe's ends: (reading, writing)."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Log lines are written directly again after the test."""
    yield
    logs.write_directly()
