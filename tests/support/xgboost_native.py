"""XGBoost's trees as the engine ``native`` walks them, and the comparison with XGBoost's own probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from include.model.engines import boosted_form, native_model, xgboost_trees
from include.model.engines.inputs import InputSpec
from include.model.engines.native_model import NativeModel

DIGIT = 2**-22  # NumPy's walk has another exponential function: the last digits of a float32 may differ


def write(estimator: Any, folder: Path) -> tuple[Path, InputSpec]:
    """Writes ``model.native`` of a fitted estimator."""
    ensemble = xgboost_trees.read(estimator)
    assert ensemble is not None
    boosted_form.write(ensemble, folder / "model.native")
    inputs = InputSpec(dtype="float32", finite=(False,) * ensemble.features, missing=True)
    return folder / "model.native", inputs


def assert_equal(native: NativeModel, estimator: Any, matrix: np.ndarray) -> None:
    """No bit differs from XGBoost's where the extension walks the trees, in a batch or alone."""
    expected = estimator.predict_proba(matrix)[:, 1].astype(np.float64)
    tolerance = 0 if native_model.nightjar_walk else DIGIT
    np.testing.assert_allclose(native.predict_proba(matrix)[:, 1], expected, rtol=tolerance, atol=0)
    np.testing.assert_allclose([native.one(row) for row in matrix.tolist()], expected, rtol=tolerance, atol=0)
