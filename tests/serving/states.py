"""A serving process's state, inside the test: a model that the test gives, and telemetry that only remembers."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from include.model import bundle, golden
from include.model.bundle import Bundle
from serving.cache import AnswerCache
from serving.deadlines import Deadlines
from serving.decode import FastDecoder
from serving.model import LoadedModel
from serving.scoring import Scoring
from serving.settings import Settings
from serving.state import State
from tests.support.bundles import text_files

FAST, SLOW = 0.0001, 0.01


class Remembering:
    """Telemetry that keeps what it was told."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.predictions: list[Any] = []
        self.finished = self.requests.append
        self.predicted = self.predictions.append

    def metrics(self) -> tuple[bytes, str]:
        return b"", "text/plain"


class Model:
    """An engine that ``score`` stands for: row → probability. ``calls`` holds the number of rows of each call."""

    name = "test"

    def __init__(self, score: Callable[[list[float]], float], seconds: float = 0.0) -> None:
        self._score = score
        self._seconds = seconds
        self.calls: list[int] = []

    def one(self, row: list[float]) -> float:
        return float(self.predict_proba(np.array([row]))[0, 1])

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        self.calls.append(len(matrix))
        time.sleep(self._seconds)
        positive = np.array([self._score(row) for row in matrix.tolist()])
        return np.column_stack([1 - positive, positive])


def make_state(model: Any = None, median: float = FAST, callers: Any = None, **changes: Any) -> State:
    """The two-feature workload's state; ``changes`` are settings."""
    loaded = bundle.load(text_files())
    if model is not None:
        loaded = _with_model(loaded, model)
    given = {
        "bundle_uri": "file:///none",
        "bundle_digest": "a" * 64,
        "model_version": "7",
        "workload": "texts",
        "cache_entries": 0,
    }
    settings = Settings(**{**given, "max_batch": 50, "max_body_bytes": 20_000, "overload_pause_seconds": 0, **changes})
    proven = LoadedModel(loaded, golden.GoldenResult(rows=20, max_difference=0.0, ok=True), median, 0.1)
    cache = AnswerCache(settings.cache_entries) if settings.cache_entries else None
    decoder = FastDecoder(loaded.schema.fields)
    return State(
        settings,
        proven,
        decoder,
        Scoring(proven, settings.max_in_flight, lambda *_: None),
        cache,
        callers,
        Remembering(),
        Deadlines(0.2),
    )


def _with_model(loaded: Bundle, model: Any) -> Any:
    loaded.scorer.model = model
    return SimpleNamespace(
        manifest=loaded.manifest, schema=loaded.schema, scorer=loaded.scorer, golden=loaded.golden, model=model
    )
