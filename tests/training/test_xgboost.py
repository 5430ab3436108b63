"""The model kind xgboost: the same model whatever the machine, on the device that it says."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from include.training import estimators, xgboost_model
from include.training.container import JobError
from tests.support.bundles import dump

KINDS = {"a": "number", "b": "category", "c": "number"}
ROWS = 2000


def rows(count: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    matrix = np.column_stack([rng.normal(size=count), rng.integers(0, 30, count), rng.normal(size=count)])
    labels = (matrix[:, 0] + matrix[:, 1] % 3 + rng.normal(size=count) > 1).astype(np.int8)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, labels


def fitted(**parameters: Any) -> Any:
    model = estimators.make("xgboost", KINDS, 5, {"n_estimators": 20, **parameters})
    estimators.fit(model, *rows())
    return model


@pytest.mark.parametrize("parameters", [{}, {"subsample": 0.5, "colsample_bynode": 0.6}], ids=["all", "samples"])
def test_the_pickle_is_the_same_whatever_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any]
) -> None:
    made = []
    for count in (1, 2, 3, 5):
        monkeypatch.setattr(xgboost_model, "threads", lambda rows, count=count: count)
        made.append(dump(fitted(**parameters)))
    assert len(set(made)) == 1


def test_the_number_of_threads_is_made_from_the_rows_and_not_from_the_machine() -> None:
    found = [xgboost_model.threads(rows) for rows in (0, 100_000, 199_999, 200_000, 10**9)]
    assert found == [1, 1, 1, 2, xgboost_model.MAX_THREADS]


def test_it_scores_on_one_thread_of_the_cpu_and_its_pickle_names_no_module_of_the_project(tmp_path: Path) -> None:
    model = fitted()
    assert {name: model.get_params()[name] for name in ("device", "n_jobs")} == {"device": "cpu", "n_jobs": 1}
    joblib.dump(model, tmp_path / "model")
    read = joblib.load(tmp_path / "model")
    matrix, _ = rows()
    assert np.array_equal(read.predict_proba(matrix), model.predict_proba(matrix))
    assert b"include" not in dump(model)
    assert '"nthread":"1"' in read.get_booster().save_config().replace(" ", "")


def test_without_a_gpu_it_trains_on_the_cpu_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = estimators.make("xgboost", KINDS, 5, {"n_estimators": 3})
    with caplog.at_level(logging.INFO):
        xgboost_model.fit(model, *rows(), devices=tmp_path)
    assert xgboost_model.trained_on(model) == "cpu" == estimators.device(model)
    assert [record.getMessage() for record in caplog.records] == ["XGBoost has trained on cpu"]


@pytest.mark.filterwarnings("ignore:.*Device is changed from GPU to CPU")
def test_a_gpu_that_xgboost_does_not_use_is_logged_and_the_model_says_cpu(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A container that sees a GPU, with a package that has no CUDA: it is asked for, and XGBoost falls back."""
    (tmp_path / "nvidia0").touch()
    model = estimators.make("xgboost", KINDS, 5, {"n_estimators": 20})
    with caplog.at_level(logging.INFO):
        xgboost_model.fit(model, *rows(), devices=tmp_path)
    assert xgboost_model.trained_on(model) == "cpu"
    assert "sees a GPU, but XGBoost has trained on the CPU: this image has the package xgboost-cpu" in caplog.text
    assert dump(model) == dump(fitted())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nvidia0", True), ("nvidia7", True), ("nvidiactl", False), ("nvidia-uvm", False), ("null", False)],
)
def test_a_gpu_is_a_device_file(tmp_path: Path, name: str, expected: bool) -> None:
    (tmp_path / name).touch()
    assert xgboost_model.sees_gpu(tmp_path) is expected


def test_a_fit_that_went_on_elsewhere_names_each_device_once(tmp_path: Path) -> None:
    model = fitted()
    model.get_booster().set_attr(**{xgboost_model.TRAINED_ON: "cuda"})
    for _ in range(2):
        xgboost_model.fit(model, *rows(), devices=tmp_path)
    assert xgboost_model.trained_on(model) == "cuda, cpu"
    assert model.get_booster().num_boosted_rounds() == 60


def test_other_kinds_have_no_device() -> None:
    model = estimators.make("random_forest", KINDS, 5, {})
    assert estimators.device(model) is None and "xgboost" not in estimators.libraries(model)
    assert estimators.libraries(fitted())["xgboost"] == xgboost_model.VERSION


@pytest.mark.parametrize("name", ["max_iter", "n_jobs", "device", "tree_method", "booster", "early_stopping_rounds"])
def test_a_hyperparameter_that_a_workload_may_not_set_is_refused_by_name(name: str) -> None:
    with pytest.raises(JobError, match=f"xgboost has no hyperparameter {name} that a workload may set"):
        estimators.make("xgboost", KINDS, 5, {name: 1})


def test_the_error_of_a_job_has_what_xgboost_refuses() -> None:
    model = estimators.make("xgboost", KINDS, 5, {"max_depth": "deep"})
    with pytest.raises(JobError, match=r"The model cannot be trained: .*max_depth"):
        estimators.fit(model, *rows())
    matrix, labels = rows()
    matrix[0, 0] = np.inf
    with pytest.raises(JobError, match=r"The model cannot be trained: .*inf"):
        estimators.fit(estimators.make("xgboost", KINDS, 5, {}), matrix, labels)
