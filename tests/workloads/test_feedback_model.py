"""A model of the feedback workload's recorded history, trained by the real jobs and served by the real service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.model import bundle
from include.workloads import load
from tests.support import history_model

pytestmark = pytest.mark.stack  # training and the service, in one environment
TEXT = "I bought this two weeks ago. It broke, the refund was refused, and nobody answers my e-mails: terrible."


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ml")


@pytest.fixture(scope="module")
def files(root: Path) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ROOT", str(root))
        return history_model.build(load("feedback"), root)


def test_it_is_better_than_the_bar(files: dict[str, bytes], root: Path) -> None:
    evaluation = json.loads((root / "processing/output/evaluation.json").read_text())
    assert evaluation["candidate"]["auc"] > load("feedback").quality.bar
    assert evaluation["candidate"]["slices"]["channel"].keys() >= {"review", "tweet"}


def test_the_request_of_the_design_is_answered_as_it_stands(files: dict[str, bytes]) -> None:
    (answer,) = history_model.predict(files, {"text_length": 120, "num_keywords": 3})
    assert answer["prediction"] in (0, 1) and 0 < answer["probability"] < 1 and "warnings" not in answer


def test_a_text_is_answered_as_its_features(files: dict[str, bytes]) -> None:
    computed = load("feedback").feature_code().features({"text": TEXT})
    by_text, by_features, spelled = history_model.predict(
        files, {"text": TEXT}, dict(computed), {"text": TEXT.upper().replace(" ", "\u00a0 ")}
    )
    assert by_text == by_features == spelled and by_text["prediction"] == 1
    assert history_model.predict(files, {"text": "I love it, a great camera!"})[0]["prediction"] == 0


def test_golden_rows_of_both_kinds_are_in_the_bundle(files: dict[str, bytes]) -> None:
    loaded = bundle.load(files)
    kinds = {frozenset(row.request) for row in loaded.golden}
    assert kinds == {frozenset({"text", "channel"}), frozenset({"text_length", "num_keywords"})}
    assert loaded.manifest.request_features.keys() == {"text_length", "num_keywords"}
