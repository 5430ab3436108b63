"""A bundle of XGBoost's that no fast form serves: the service imports the library for it, and only then."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from include.model import bundle
from include.model.errors import BundleError
from serving.app import ServiceApp
from tests.support.asgi import request
from tests.support.bundles import text_files, text_rows
from tests.support.serving_state import make_state


@pytest.fixture
def model() -> Any:
    from xgboost import XGBClassifier

    _, matrix, labels = text_rows()
    return XGBClassifier(n_estimators=5, tree_method="hist", n_jobs=1, random_state=1).fit(matrix, labels)


def test_the_library_serves_it(model: Any) -> None:
    app = ServiceApp(make_state(files=text_files(model)))
    for record, row in zip(*text_rows()[:2], strict=True):
        answer = request(app, "POST", "/predict", json.dumps(record).encode(), {"content-type": "application/json"})
        assert answer.json()["probability"] == float(model.predict_proba(np.array([row]))[0, 1])


def test_a_service_without_the_library_refuses_it_by_name(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = text_files(model)
    for name in [name for name in sys.modules if name.partition(".")[0] == "xgboost"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BundleError, match=r"model\.joblib cannot be unpickled: ModuleNotFoundError: .*xgboost"):
        bundle.load(files)


def test_the_service_does_not_import_it_before_a_bundle_needs_it() -> None:
    code = "import sys, serving.app, serving.worker; print('xgboost' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
