"""Train and evaluate, end to end, on random data of workload flights."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import treelite
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier

from include.model import bundle
from include.model.engines import FAST_FORMS, Engine, ladder, native_model, onnx_trees
from include.model.engines.ladder import LADDER
from include.pipelines.promotion.decide import decide
from include.training import evaluate, train
from include.training.container import JobError
from include.workloads import load
from tests.support.bundles import dump, read_folder
from tests.support.compiled import COMPILED
from tests.support.training_inputs import make_flights, write_manifest, write_model_tar

ENGINE: Engine = "native" if COMPILED else "onnxruntime"
ARGUMENTS = ["--workload", "flights", "--bootstrap", "200", "--seed", "13"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with a trained model, packed as the evaluation's candidate."""
    root = tmp_path_factory.mktemp("ml")
    make_flights(root)
    _train(root)
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``trained`` that a test may change."""
    copy = tmp_path / "ml"
    shutil.copytree(trained, copy)
    monkeypatch.setenv("ML_ROOT", str(copy))
    return copy


def _train(root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ROOT", str(root))
        train.main()
    write_model_tar(root)


def _evaluate(root: Path, *more: str) -> dict:
    evaluate.main([*ARGUMENTS, *more])
    return json.loads((root / "processing/output/evaluation.json").read_text())


def _rewrite(path: Path, **columns: object) -> None:
    table = pq.read_table(path)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, path)


def _add_champion(root: Path, tmp_path: Path, last: datetime = datetime(2013, 2, 20, tzinfo=UTC)) -> str:
    """Adds the model of another day as champion; returns its digest."""
    other = tmp_path / "champion"
    manifest = make_flights(other, seed=2, last=last)
    _train(other)
    packed = bundle.pack(read_folder(other / "model"))
    for name, data in (("champion/bundle.tar.gz", packed), ("champion_manifest/m.json", json.dumps(manifest).encode())):
        path = root / "processing/input" / name
        path.parent.mkdir()
        path.write_bytes(data)
    return bundle.sha256_hex(packed)


def test_training_is_repeatable_and_logs_its_metrics(root, caplog):
    caplog.set_level(logging.INFO, "include")
    before = read_folder(root / "model")
    train.main()
    assert read_folder(root / "model") == before
    assert "metric:validation_auc=0.8" in caplog.text
    assert "metric:parity_max_difference=" in caplog.text and f"The model is served by {ENGINE}" in caplog.text
    loaded = bundle.load(before)
    manifest = loaded.manifest
    assert manifest.engine == loaded.model.name == ENGINE and FAST_FORMS[ENGINE] in before
    parity = manifest.parity[-1]
    assert parity.passed and parity.rows >= 10_000 and parity.on_threshold > 0
    assert parity.max_difference is not None and parity.max_difference < 1e-12
    assert list(manifest.features) == list(load("flights").features)
    assert manifest.model["hyperparameters"]["max_iter"] == 40


def test_training_does_not_depend_on_the_order_of_rows_and_files(root):
    before = read_folder(root / "model")
    folder = root / "input/data/train"
    table = pq.read_table(folder / "part-0")
    shuffled = table.take(np.random.default_rng(5).permutation(table.num_rows))
    (folder / "part-0").unlink()
    pq.write_table(shuffled[:700], folder / "a")
    pq.write_table(shuffled[700:], folder / "b.parquet")
    train.main()
    assert read_folder(root / "model")[bundle.MODEL] == before[bundle.MODEL]


def test_a_job_with_checkpoints_makes_the_same_model_and_goes_on_from_them(root, caplog):
    golden = read_folder(root / "model")[bundle.GOLDEN]
    (root / "checkpoints").mkdir()
    _train(root)
    first = read_folder(root / "model")
    with caplog.at_level(logging.INFO):
        _train(root)
    assert "The fit goes on from a checkpoint: 40 of 40 (max_iter)" in caplog.text
    assert first[bundle.GOLDEN] == golden and read_folder(root / "model") == first


def test_training_serving_skew_fails_the_training(root):
    rows = pq.read_table(root / "input/data/validation").num_rows
    _rewrite(root / "input/data/validation/part-0", f_seats=[1234.0] * rows)
    with pytest.raises(JobError, match="Feature seats differs between the data set"):
        train.main()


def test_a_data_set_of_other_feature_code_fails_the_training(root):
    manifest = json.loads((root / "input/data/manifest/manifest.json").read_text())
    write_manifest(root, manifest | {"feature_code_hash": "0" * 64})
    with pytest.raises(JobError, match="made by feature code 000"):
        train.main()


def test_a_key_in_train_and_validation_fails_the_training(root):
    key = pq.read_table(root / "input/data/train")["key"][0].as_py()
    keys = pq.read_table(root / "input/data/validation")["key"].to_pylist()
    _rewrite(root / "input/data/validation/part-0", key=[key, *keys[1:]])
    with pytest.raises(JobError, match="1 keys are in both the train and the validation split"):
        train.main()


def test_a_lost_file_fails_the_training(root):
    pq.write_table(pq.read_table(root / "input/data/train")[:100], root / "input/data/train/part-0")
    with pytest.raises(JobError, match="Split train has 100 rows, but its manifest has 1600"):
        train.main()


@pytest.mark.parametrize("engine", ["onnxruntime", "scikit-learn"])
def test_a_bundle_that_does_not_score_as_the_model_did_is_not_written(root, monkeypatch, engine):
    """The pickle, or the fast form after it passed the gate, is another model's."""
    original = ladder.choose_engine

    def choose_engine(estimator, *arguments, **options):
        choice = original(estimator, *arguments, **options, ladder=[step for step in LADDER if step.engine == engine])
        content = choice.files["model.onnx"]
        wrong = content.replace(np.float64(_offset(estimator)).tobytes(), np.float64(9.0).tobytes())
        assert wrong != content
        return choice._replace(files={"model.onnx": wrong})

    if engine == "onnxruntime":
        monkeypatch.setattr(ladder, "choose_engine", choose_engine)
    else:
        other = dump(DummyClassifier().fit([[0.0], [1.0]], [0, 1]))
        monkeypatch.setattr(joblib, "dump", lambda estimator, file: file.write(other))
    shutil.rmtree(root / "model")
    with pytest.raises(JobError, match=f"The bundle does not score with {engine} as the model did: golden row"):
        train.main()
    assert not (root / "model/manifest.json").exists()


def _offset(model: HistGradientBoostingClassifier) -> float:
    return float(model._baseline_prediction.ravel()[0])


def test_a_model_without_a_fast_form_is_trained_and_evaluated(root, monkeypatch):
    def fails(*arguments, **options):
        raise RuntimeError("no converter")

    monkeypatch.setattr(native_model, "require_compiled", fails)
    monkeypatch.setattr(onnx_trees, "build", fails)
    monkeypatch.setattr(treelite.sklearn, "import_model", fails)
    shutil.rmtree(root / "model")
    train.main()
    write_model_tar(root)
    _evaluate(root)
    packed = (root / "processing/output/bundle.tar.gz").read_bytes()
    loaded = bundle.load(bundle.unpack(packed))
    assert loaded.model.name == "scikit-learn"
    assert [parity.reason for parity in loaded.manifest.parity] == ["RuntimeError: no converter"] * 3


def test_evaluation_without_a_champion(root):
    path = root / "processing/input/manifest/manifest.json"
    missing = {"2013-02-03": "was refused: <b>nulls</b>"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "missing_days": missing}))
    evaluation = _evaluate(root)
    candidate = evaluation["candidate"]
    assert 0.5 < candidate["auc_low"] < candidate["auc"] < candidate["auc_high"] < 1 and candidate["rows"] == 400
    assert evaluation["champion"] is None and evaluation["difference"] is None
    packed = (root / "processing/output/bundle.tar.gz").read_bytes()
    assert bundle.sha256_hex(packed) == evaluation["bundle_digest"]
    assert bundle.load(bundle.unpack(packed)).manifest.workload == "flights"
    assert evaluation["dataset"]["missing_days"] == missing
    assert evaluation["dataset"]["splits"]["test"] == {
        "rows": 400, "positives": None, "first": "2013-02-22T00:00:00+00:00", "end": "2013-03-01T00:00:00+00:00"
    }  # fmt: skip
    assert evaluation["champion_digest"] is None
    assert decide(evaluation, load("flights").quality, [], champion=None).promote


def test_evaluation_says_what_a_model_card_needs(root):
    evaluation = _evaluate(root)
    candidate, features = evaluation["candidate"], load("flights").features
    assert candidate["intervals"].keys() == {"log_loss", "brier", "accuracy", "average_precision"}
    for name, interval in candidate["intervals"].items():
        assert interval["low"] < candidate[name] < interval["high"]
    assert candidate["roc"][-1] == [1.0, 1.0] and candidate["precision_recall"][0] == [0.0, 1.0]
    assert candidate["slices"].keys() == {spec.field for spec in load("flights").quality.slices}
    assert evaluation["model"]["hyperparameters"]["max_iter"] == 40
    assert evaluation["model"]["code_sha"] == "c" * 40 and "scikit-learn" in evaluation["model"]["libraries"]
    assert {entry["feature"] for entry in evaluation["importance"]["features"]} == features.keys()
    assert evaluation["importance"]["features"][0]["feature"] == "departure_minute", "the label is made from it"
    assert evaluation["distributions"]["features"].keys() == features.keys()


def test_a_worse_candidate_is_measured_and_not_promoted(root, tmp_path):
    """The champion learned from correct labels, the candidate from labels of which two in five are inverted."""
    path = root / "input/data/train/part-0"
    labels = pq.read_table(path)["label"].to_pylist()
    noisy = [1 - label if index % 5 < 2 else label for index, label in enumerate(labels)]
    _rewrite(path, label=pa.array(noisy, pa.int32()))
    _train(root)
    _add_champion(root, tmp_path)
    evaluation = _evaluate(root)
    assert evaluation["difference"]["auc"] < 0
    decision = decide(evaluation, load("flights").quality, [], champion=1)
    assert not decision.promote and "not above -0.0100" in decision.reasons[0]


def test_evaluation_with_a_champion_is_repeatable(root, tmp_path):
    digest = _add_champion(root, tmp_path)
    first = _evaluate(root, "--champion-digest", digest)
    assert first["champion_digest"] == digest
    assert first["champion"]["rows"] == 400 and first["difference"]["low"] < first["difference"]["high"]
    assert first == _evaluate(root)
    with pytest.raises(JobError, match="is live"):
        _evaluate(root, "--champion-digest", "0" * 64)


def test_a_champion_that_has_seen_the_days_of_the_test_set_is_rejected(root, tmp_path):
    _add_champion(root, tmp_path, last=datetime(2013, 3, 4, tzinfo=UTC))
    with pytest.raises(JobError, match="but the champion's validation split ends at 2013-02-25"):
        _evaluate(root)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_test_key_that_the_candidate_was_trained_on_is_rejected(root, split):
    seen = pq.read_table(root / "input/data" / split)["key"][7].as_py()
    keys = pq.read_table(root / "processing/input/test")["key"].to_pylist()
    _rewrite(root / "processing/input/test/part-0", key=[seen, *keys[1:]])
    with pytest.raises(JobError, match="1 keys of the test set are in the candidate's train or validation split"):
        _evaluate(root)


def test_test_days_before_the_end_of_validation_are_rejected(root):
    times = pq.read_table(root / "processing/input/test")["event_time"].to_pylist()
    times[0] = datetime(2013, 2, 21, tzinfo=UTC)
    _rewrite(root / "processing/input/test/part-0", event_time=pa.array(times, pa.timestamp("ms", "UTC")))
    with pytest.raises(JobError, match="but the candidate's validation split ends at 2013-02-22"):
        _evaluate(root)


def test_the_manifest_of_another_data_set_is_rejected(root):
    manifest = json.loads((root / "input/data/manifest/manifest.json").read_text())
    write_manifest(root, manifest | {"sql": "select 2"})
    with pytest.raises(JobError, match="The candidate was trained on data set"):
        _evaluate(root)


@pytest.mark.parametrize("folder", ["processing/input/manifest", "processing/input/champion_manifest"])
def test_a_manifest_that_was_altered_in_s3_is_rejected(root, tmp_path, folder):
    """This was red before: an altered end of the train split hid that the model had seen the test set."""
    _add_champion(root, tmp_path)
    (path,) = (root / folder).iterdir()
    manifest = json.loads(path.read_text())
    manifest["splits"]["validation"]["to"] = "2012-01-01T00:00:00Z"
    path.write_text(json.dumps(manifest))
    with pytest.raises(JobError, match="was altered: its digest"):
        _evaluate(root)


def test_the_exit_message_is_the_digest_of_the_evaluation(root):
    _evaluate(root)
    digest = bundle.sha256_hex((root / "processing/output/evaluation.json").read_bytes())
    assert json.loads((root / "output/message").read_text()) == {"evaluation_sha256": digest}


def test_a_damaged_candidate_is_rejected(root):
    (root / "processing/input/candidate/model.tar.gz").write_bytes(b"nothing")
    with pytest.raises(JobError, match="The candidate is not a valid bundle: The archive is not a readable gzip"):
        _evaluate(root)
