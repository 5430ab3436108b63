"""Checkpoints: an interrupted fit ends in the same model as one that was not, and as a fit at once."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from include.training import checkpoints, estimators

KINDS = {"a": "number", "b": "number", "c": "category"}
MADE_FROM = {"workload": "texts", "code_sha": "1", "dataset_version": "2"}
ROWS = 1200
CASES: list[tuple[str, dict[str, Any]]] = [
    ("hist_gradient_boosting", {"max_iter": 30}),
    ("hist_gradient_boosting", {"max_iter": 200, "early_stopping": True, "n_iter_no_change": 30, "learning_rate": 0.1}),
    ("random_forest", {"n_estimators": 25, "max_depth": 5}),
    ("random_forest", {"n_estimators": 4}),
    ("xgboost", {"n_estimators": 25}),
    ("xgboost", {"n_estimators": 4, "subsample": 0.7, "colsample_bytree": 0.7}),
]


class InterruptedFitError(Exception):
    """What ends the fit in these tests."""


class Fits:
    """Fits estimators, and is interrupted before fit number ``limit``."""

    def __init__(self, limit: int = 1000) -> None:
        rng = np.random.default_rng(13)
        self.matrix = np.column_stack([rng.normal(size=(ROWS, 2)), rng.integers(0, 5, ROWS)])
        self.matrix[rng.random(self.matrix.shape) < 0.05] = np.nan
        signal = np.nan_to_num(self.matrix[:, 0]) + rng.normal(size=ROWS)
        self.labels = (signal > 0).astype("int8")
        self.limit = limit
        self.count = 0

    def __call__(self, model: Any) -> None:
        if self.count == self.limit:
            raise InterruptedFitError
        self.count += 1
        estimators.fit(model, self.matrix, self.labels)

    def of(self, kind: str, parameters: dict[str, Any], **changes: str) -> Any:
        model = estimators.make(kind, KINDS, 13, parameters)
        return checkpoints.fit(model, {**MADE_FROM, **changes}, self)


def looked_at(kind: str, model: Any) -> tuple[str, bytes]:
    """What two equal models have in common: their parameters, and all bytes of boosted trees.

    A tree of a forest has gaps between its fields, with whatever was in memory: of a forest, the probabilities.
    """
    if kind == "random_forest":
        return str(model.get_params()), model.predict_proba(np.nan_to_num(Fits().matrix)).tobytes()
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return str(model.get_params()), buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that SageMaker makes for a job with checkpoints."""
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_an_interrupted_fit_ends_as_if_it_was_not(folder: Path, kind: str, parameters: dict[str, Any]):
    whole = Fits()
    expected = looked_at(kind, whole.of(kind, parameters))
    (folder / checkpoints.FILE).unlink()
    with pytest.raises(InterruptedFitError):
        Fits(limit=2).of(kind, parameters)
    rest = Fits()
    model = rest.of(kind, parameters)
    assert looked_at(kind, model) == expected
    assert rest.count == whole.count - 2, "what was done is not done again"
    with pytest.raises(InterruptedFitError):
        Fits(limit=0).of(kind, parameters, code_sha="other")
    assert looked_at(kind, Fits(limit=0).of(kind, parameters)) == expected, "a complete fit is not done again"


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_a_fit_in_steps_gives_the_model_of_a_fit_at_once(folder: Path, kind: str, parameters: dict[str, Any]):
    steps = Fits()
    in_steps = steps.of(kind, parameters)
    folder.rename(folder.with_name("none"))
    once = Fits()
    at_once = once.of(kind, parameters)
    assert (once.count, steps.count > 1) == (1, True)
    assert str(in_steps.get_params()) == str(at_once.get_params())  # one of XGBoost's is NaN
    rows = np.nan_to_num(steps.matrix)
    assert np.array_equal(in_steps.predict_proba(rows), at_once.predict_proba(rows))


def test_a_model_that_cannot_go_on_is_fitted_at_once(folder: Path):
    fits = Fits()
    fits.of("logistic_regression", {})
    assert fits.count == 1 and not list(folder.iterdir())


@pytest.mark.parametrize("change", ["cut", "other"])
def test_a_checkpoint_that_does_not_fit_is_not_used(folder: Path, change: str, caplog: pytest.LogCaptureFixture):
    kind, parameters = CASES[0]
    with pytest.raises(InterruptedFitError):
        Fits(limit=3).of(kind, parameters)
    file = folder / checkpoints.FILE
    if change == "cut":
        file.write_bytes(file.read_bytes()[:-10])
    fits = Fits()
    with caplog.at_level(logging.WARNING):
        fits.of(kind, parameters, **({"dataset_version": "3"} if change == "other" else {}))
    assert fits.count == checkpoints.STEPS and "the fit begins anew" in caplog.text
