"""The kind xgboost from the data set to an answer: training, evaluation, and the service in this process."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from include.model import bundle
from include.model.bundle.manifest import parse_manifest
from include.model.engines import Engine, ladder
from include.model.engines.ladder import LADDER, EngineChoice
from include.training import checkpoints, evaluate, findings, train
from include.workloads import Workload, load
from tests.support.bundles import read_folder
from tests.support.compiled import COMPILED
from tests.support.training_inputs import make_flights, write_model_tar

ENGINES: list[Engine] = ["native" if COMPILED else "onnxruntime", "treelite", "scikit-learn"]
ARGUMENTS = ["--workload", "flights", "--bootstrap", "100", "--seed", "13"]


def with_xgboost(name: str) -> Workload:
    """The workload, but with the kind that uses a GPU."""
    workload = load(name)
    kind = {"kind": "xgboost", "hyperparameters": {"max_depth": 4}, "tuning": None}
    return workload.model_copy(update={"model": workload.model.model_copy(update=kind)})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root folder with the inputs of both jobs, for a workload with this kind."""
    for job in (train, evaluate):
        monkeypatch.setattr(job, "load", with_xgboost)
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    make_flights(tmp_path)
    file = tmp_path / "input/config/hyperparameters.json"
    given = {name: value for name, value in json.loads(file.read_text()).items() if name != "max_iter"}
    file.write_text(json.dumps({**given, "n_estimators": "40"}))
    return tmp_path


def served_by(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the ladder have this engine only."""
    original, steps = ladder.choose_engine, [step for step in LADDER if step.engine == engine]

    def choose_engine(*arguments: Any, **options: Any) -> EngineChoice:
        return original(*arguments, **options, ladder=steps)

    monkeypatch.setattr(ladder, "choose_engine", choose_engine)


def evaluated(root: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the evaluation says of the trained model, and the files of the bundle that it packed."""
    write_model_tar(root)
    evaluate.main(ARGUMENTS)
    output = root / "processing/output"
    files = bundle.unpack((output / "bundle.tar.gz").read_bytes())
    return json.loads((output / "evaluation.json").read_text()), dict(files)


def test_training_is_repeatable_and_says_what_trained_it(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "include")
    train.main()
    files = read_folder(root / "model")
    train.main()
    assert read_folder(root / "model") == files
    assert "XGBoost has trained on cpu" in caplog.text and f"The model is served by {ENGINES[0]}" in caplog.text
    manifest = parse_manifest(files[bundle.MANIFEST])
    assert manifest.model == {
        "kind": "xgboost", "seed": 13, "hyperparameters": {"max_depth": 4, "n_estimators": 40}, "device": "cpu"
    }  # fmt: skip
    assert "xgboost" in manifest.libraries and manifest.metrics["auc"] > 0.7
    found = findings.of_training("job", manifest, rows={})
    assert found.tags["nightjar.device"] == "cpu" and found.parameters["model.n_estimators"] == 40


def test_a_job_with_checkpoints_makes_the_same_model_and_goes_on_from_them(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train.main()
    at_once = read_folder(root / "model")
    (root / "checkpoints").mkdir()
    train.main()
    in_steps = read_folder(root / "model")
    assert (root / "checkpoints" / checkpoints.FILE).is_file()
    with caplog.at_level(logging.INFO, "include"):
        train.main()
    assert "The fit goes on from a checkpoint: 40 of 40 (n_estimators)" in caplog.text
    assert read_folder(root / "model") == in_steps
    assert in_steps[bundle.GOLDEN] == at_once[bundle.GOLDEN]


@pytest.mark.stack  # the service's packages
@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_trained_and_evaluated_is_served(root: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    from serving.app import ServiceApp
    from tests.support.asgi import request
    from tests.support.serving_state import make_state

    served_by(engine, monkeypatch)
    train.main()
    evaluation, files = evaluated(root)
    assert evaluation["model"]["device"] == "cpu" and evaluation["model"]["engine"] == engine
    assert evaluation["candidate"]["auc"] > 0.7 and evaluation["importance"]["features"]
    loaded = bundle.load(files)
    app = ServiceApp(make_state(files=files, workload="flights"))
    for row in loaded.golden[:5]:
        body = json.dumps(row.request).encode()
        answer = request(app, "POST", "/predict", body, {"content-type": "application/json"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["probability"] == pytest.approx(row.probability, abs=1e-6)
