"""Fixtures of the telemetry's tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
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
    """A pipe's ends: (reading, writing). It is read until nobody writes to it any more.

    A thread that still wrote would write to the pipe of a later test, which gets the same number.
    """
    before = set(threading.enumerate())
    ends = os.pipe()
    yield ends
    os.set_blocking(ends[0], False)
    for thread in set(threading.enumerate()) - before:
        while thread.name == "lines" and thread.is_alive():
            with suppress(BlockingIOError):
                os.read(ends[0], 1_000_000)
            thread.join(0.01)
    for end in ends:
        os.close(end)


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Log lines are written directly again after the test."""
    yield
    logs.write_directly()
