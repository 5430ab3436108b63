"""A worker's state inside the test: a model that the test supplies, and telemetry that keeps what is reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from include.model import bundle, golden
from include.model.bundle import Bundle
from include.model.score import Scorer
from serving.api_keys import ApiKeys
from serving.cache import AnswerCache
from serving.deadlines import Deadlines
from serving.decode import make_decoder
from serving.model import LoadedModel
from serving.scoring import Scoring
from serving.settings import Settings
from serving.state import State
from serving.telemetry import Finished, Prediction
from tests.support.bundles import text_files

# Median seconds of an engine that runs on the event loop, and of one that runs in a thread.
FAST, SLOW = 0.0001, 0.01


class RecordingTelemetry:
    """Telemetry that keeps what is reported to it."""

    def __init__(self) -> None:
        self.requests: list[Finished] = []
        self.predictions: list[Prediction] = []

    def finished(self, request: Finished) -> None:
        self.requests.append(request)

    def predicted(self, prediction: Prediction) -> None:
        self.predictions.append(prediction)

    def metrics(self) -> tuple[bytes, str]:
        return b"", "text/plain"

    def start(self) -> None:
        pass

    def stop(self, seconds: float) -> None:
        pass


class FakeModel:
    """An engine. ``score`` maps a row to its probability; ``calls`` has the number of rows of each call."""

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


def make_settings(**changes: Any) -> Settings:
    """Valid settings with these changes."""
    needed = {
        "bundle_uri": "s3://artifact/bundle",
        "bundle_digest": "0" * 64,
        "model_version": "7",
        "workload": "texts",
    }
    return Settings.from_env(**{**needed, **changes})


def make_state(
    model: FakeModel | None = None,
    median: float = FAST,
    api_keys: ApiKeys | None = None,
    telemetry: RecordingTelemetry | None = None,
    files: dict[str, bytes] | None = None,
    **changes: Any,
) -> State:
    """The state of the two-feature workload's service. ``files``: another bundle; ``changes`` are settings."""
    limits = {"cache_entries": 0, "max_batch": 50, "max_body_bytes": 20_000, "overload_pause_seconds": 0}
    settings = make_settings(**{**limits, **changes})
    loaded = bundle.load(files or text_files())
    if model is not None:
        loaded = _with_model(loaded, model)
    verified = LoadedModel(loaded, golden.GoldenResult(rows=20, max_difference=0.0, ok=True), median, 0.1)
    return State(
        settings=settings,
        model=verified,
        decoder=make_decoder(loaded.schema),
        scoring=Scoring(verified, settings.max_in_flight, lambda *_: None),
        cache=AnswerCache(settings.cache_entries) if settings.cache_entries else None,
        api_keys=api_keys,
        telemetry=telemetry or RecordingTelemetry(),
        deadlines=Deadlines(0.2),
    )


def _with_model(loaded: Bundle, model: FakeModel) -> Bundle:
    manifest = loaded.manifest
    scorer = Scorer(loaded.scorer.features, manifest.features, manifest.categories, model, manifest.threshold)
    return Bundle(manifest, model, scorer, loaded.golden, loaded.training_keys)
