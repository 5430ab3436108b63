"""A model that is slower than a millisecond, as a large forest is: what a shared cache is for."""

from __future__ import annotations

import io
import time
from typing import Any

import joblib
from sklearn.linear_model import LogisticRegression

from include.model import bundle
from tests.support.bundles import dump, seal_text, text_files

SCORE_SECONDS = 0.003


class SlowRegression(LogisticRegression):
    """Scores as its parent does. The service unpickles it, so it must find this module."""

    def predict_proba(self, X: Any) -> Any:
        time.sleep(SCORE_SECONDS)
        return super().predict_proba(X)


def slow_bundle() -> bytes:
    """The two-feature bundle, packed, with its model made slow."""
    files = text_files()
    model = joblib.load(io.BytesIO(files[bundle.MODEL]))
    model.__class__ = SlowRegression
    return bundle.pack(seal_text(dump(model), files[bundle.GOLDEN]))
