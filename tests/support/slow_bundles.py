"""A model that is slower than a millisecond, as a large forest is: the shared cache is used for it."""

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
    """Scores as its base class does. The service unpickles it, so it must be able to import this module."""

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        time.sleep(SCORE_SECONDS)
        return super().predict_proba(X)


def slow_bundle() -> bytes:
    """The two-feature bundle with a slow model, packed."""
    files = text_files()
    model = joblib.load(io.BytesIO(files[bundle.MODEL]))
    model.__class__ = SlowRegression
    return bundle.pack(seal_text(dump(model), files[bundle.GOLDEN]))
