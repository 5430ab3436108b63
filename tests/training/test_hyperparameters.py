"""Hyperparameters of a training job: typed by JSON, checked against the model kind, over the workload's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import UserError
from include.model import bundle
from include.training import train
from include.training.container import JobError
from include.training.hyperparameters import checked, parse
from tests.support.bundles import read_folder
from tests.support.training_inputs import make_flights

KIND = "hist_gradient_boosting"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max_iters=3", "max_iters is no hyperparameter of hist_gradient_boosting; did you mean max_iter?"),
        ("max_iter=0.5", "max_iter 0.5 is not an integer from 1"),
        ("max_iter=many", "max_iter 'many' is not an integer from 1"),
        ("learning_rate=0", "learning_rate 0 is not a number above 0"),
    ],
)
def test_a_value_that_the_kind_does_not_take_is_named(text: str, problem: str) -> None:
    name, value = text.split("=")
    with pytest.raises(UserError) as raised:
        checked(KIND, parse({name: value}))
    assert problem in str(raised.value)


def test_values_have_the_types_of_their_json() -> None:
    texts = {"learning_rate": "0.05", "max_iter": "200", "early_stopping": "true", "class_weight": '"balanced"'}
    values = {"learning_rate": 0.05, "max_iter": 200, "early_stopping": True, "class_weight": "balanced"}
    assert checked(KIND, parse(texts)) == values


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_flights(tmp_path)
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    return tmp_path


def give(root: Path, **texts: str) -> None:
    path = root / "input/config/hyperparameters.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **texts}))


def test_a_job_overrides_the_workload_and_ignores_what_sagemaker_adds_to_trials(root: Path) -> None:
    give(root, learning_rate="0.11", max_iter="20", _tuning_objective_metric="auc")
    train.main()
    model: dict[str, Any] = bundle.load(read_folder(root / "model")).manifest.model
    assert model["hyperparameters"]["learning_rate"] == 0.11 and model["hyperparameters"]["max_iter"] == 20
    assert model["hyperparameters"]["min_samples_leaf"] == 100, "the workload's own is the default"
    assert "_tuning_objective_metric" not in model["hyperparameters"]


def test_a_job_with_a_wrong_hyperparameter_fails_before_it_reads_data(root: Path) -> None:
    give(root, max_iter="0")
    with pytest.raises(JobError, match="max_iter 0 is not an integer from 1"):
        train.main()
