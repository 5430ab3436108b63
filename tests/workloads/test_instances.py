"""Instance types with a GPU: only a model kind that uses it is trained there."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.workloads.instances import evaluation_problem, has_gpu, training_problem
from tests.support.tiny_workload import document, refusal, tiny_workload


@pytest.mark.parametrize(
    "kind", ["ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.gr6.4xlarge", "ml.p3.2xlarge", "ml.p4d.24xlarge"]
)
def test_these_have_a_gpu(kind: str) -> None:
    assert has_gpu(kind)


@pytest.mark.parametrize("kind", ["ml.m5.xlarge", "ml.c5.2xlarge", "ml.t3.medium", "ml.r5.large", "ml.m6g.large"])
def test_these_have_none(kind: str) -> None:
    assert not has_gpu(kind) and training_problem(kind, "random_forest") is evaluation_problem(kind) is None


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("training", "which hist_gradient_boosting does not use: it would be paid for and idle"),
        ("evaluation", "models are evaluated as they are served, on the CPU"),
    ],
)
def test_a_workload_with_a_gpu_that_nothing_uses_is_refused(tmp_path: Path, job: str, expected: str) -> None:
    text = refusal(tmp_path, workload=document(jobs={job: {"instance_type": "ml.g5.xlarge"}}))
    assert f"jobs.{job}.instance_type" in text and expected in text and "like ml.m5.xlarge" in text


def test_a_kind_that_uses_it_may_have_one(tmp_path: Path) -> None:
    model = {**document()["model"], "kind": "xgboost", "hyperparameters": {"n_estimators": 50}}
    jobs = tiny_workload(tmp_path, jobs={"training": {"instance_type": "ml.g5.xlarge"}}, model=model).jobs
    assert jobs.training.cluster("ml.m5.xlarge")["InstanceType"] == "ml.g5.xlarge"
    problem = training_problem("ml.g5.xlarge", "random_forest")
    assert problem is not None and "a kind that does (xgboost)" in problem
    assert training_problem("ml.g5.xlarge", "xgboost") is None


def test_a_hyperparameter_that_xgboost_does_not_have_is_named(tmp_path: Path) -> None:
    model = {**document()["model"], "kind": "xgboost", "hyperparameters": {"max_iter": 50}}
    text = refusal(tmp_path, workload=document(model=model))
    assert "model.hyperparameters.max_iter: is no hyperparameter of xgboost; did you mean max_bin?" in text
