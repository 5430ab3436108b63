"""Rows per second of ``POST /predict/batch``, and of scikit-learn in process with the same number of rows."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.serving import contestants, forest, inputs, measure
from benchmarks.serving.forest import Forest
from benchmarks.serving.inputs import Form
from benchmarks.serving.load import Spec
from benchmarks.serving.servers import cores, pinned

ROWS = 1000


def ours(model: Forest, folder: Path, seconds: float) -> float:
    """Measures the service over HTTP: one connection, one worker on the server's core."""
    contestant = contestants.ours(contestants.OURS_OFF, model.bundle, path="/predict/batch")
    form = dataclasses.replace(contestant.form, prefix='{"records": [', suffix="]}", rows=ROWS)
    with contestant.start(folder / "batch.log", {cores()[0]}) as server:
        server.until_answers(Form())
        result = measure.play(Spec(server.port, form, 1, seconds))
    if result.failed or not result.good:
        raise BenchmarkError(f"The batch route failed: {result.failed or 'no answer'}")
    return result.good * ROWS / result.seconds


def scikit_learn(model: Forest, seconds: float) -> float:
    """Measures ``predict_proba`` itself on the server's core, without HTTP and JSON."""
    fitted, calls = model.load(), 0
    matrix = np.array(inputs.pairs(ROWS), dtype=np.float64)
    with pinned({cores()[0]}):
        forest.probabilities(fitted, matrix)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            forest.probabilities(fitted, matrix)
            calls += 1
        return calls * ROWS / (time.perf_counter() - started)
