"""Fixtures of the engines' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.model.engines import native_model
from include.model.engines.native_model import NativeModel
from tests.support.compiled import needs_compiled
from tests.support.xgboost_native import write


@pytest.fixture(params=[pytest.param("compiled", marks=needs_compiled), "numpy"])
def load(request, monkeypatch, tmp_path) -> Callable[[Any], NativeModel]:
    """Loads the form of an estimator of XGBoost, to be walked by the extension or by NumPy."""
    if request.param == "numpy":
        monkeypatch.setattr(native_model, "nightjar_walk", None)
    return lambda estimator: NativeModel(*write(estimator, tmp_path))
