"""The end of a retrain run: the candidate is decided on, the decision written to S3, the version registered once."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import RefusedError
from include.lake.uris import split_s3_uri
from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.deploy.live_log import append
from include.pipelines.promotion.packages import METADATA
from include.pipelines.retrain import (
    FinishedJobs,
    RegisteredPackage,
    RetrainHooks,
    chosen_model,
    register,
)
from include.pipelines.retrain.tuning import declaration_digest
from include.workloads import load
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.evaluations import evaluation, model_evaluation
from tests.support.localcloud import Cloud
from tests.support.retrain_runs import SETTINGS
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack
FLIGHTS = load("flights")
PLANNED = {"planned_at": "2013-05-02T02:00:00.000000Z", "key": "k"}
PLAN: Any = {"day": "2013-05-01", "cutoff": "2013-05-02T00:00:00Z", "code_sha": "sha", "missing_days": {}, **PLANNED}


PREPARED: Any = {
    "training_name": "nj-flights-train-k",
    "dataset_version": "v1",
    "backfilled": False,
    "champion": None,
    "champion_digest": None,
    "live": None,
    "baseline": {},
    "tuning_name": "none",
}
TUNED = METADATA | {"tuning", "tuned", "tuned_for"}


@pytest.fixture
def hooks(on_cloud: Cloud) -> dict[str, Any]:
    """The real hooks on buckets, a table and a model group of this test's own."""
    name = uuid.uuid4().hex[:8]
    on_cloud.client("s3").create_bucket(Bucket=f"artifact-{name}")
    create_state_table(on_cloud.client("dynamodb"), name)
    on_cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"nightjar-{name}")
    registry = RegistryHook(f"nightjar-{name}")
    return {"objects": ObjectStoreHook(), "state": StateHook(name), "registry": registry, "service": EcsInMemory()}


def evaluated(hooks: dict[str, Any], auc: float, digest: str = "d1", **more: Any) -> FinishedJobs:
    """An evaluation in S3, and what the sensors would have returned."""
    document = {**evaluation(auc), "bundle_digest": digest, **more}
    text = json.dumps(document).encode()
    bucket = f"artifact-{hooks['state'].table}"
    hooks["objects"].put(bucket, "jobs/e/evaluation.json", text)
    return {
        "dataset": {"scanned_bytes": 10**9},
        "digest": {"scanned_bytes": 10**9},
        "training": {
            "instance_type": "ml.m5.xlarge",
            "billable_seconds": 100,
            "model_uri": "s3://b/baseline.tar.gz",
            "metrics": {"auc": 0.70},
        },
        "evaluation": {
            "job_name": "nj-flights-eval-k",
            "instance_type": "ml.m5.xlarge",
            "execution_seconds": 50.0,
            "outputs": {"evaluation": f"s3://{bucket}/jobs/e/"},
            "exit_message": json.dumps({"evaluation_sha256": hashlib.sha256(text).hexdigest()}),
        },
    }


def run(hooks: dict[str, Any], jobs: FinishedJobs, plan: Any = PLAN, **prepared: Any) -> RegisteredPackage:
    settings = SETTINGS.model_copy(update={"artifact_bucket": f"artifact-{hooks['state'].table}"})
    return register(FLIGHTS, plan, PREPARED | prepared, jobs, settings, RetrainHooks(**hooks))


def test_a_good_model_is_approved_with_all_its_metadata(hooks: dict[str, Any]) -> None:
    result = run(hooks, evaluated(hooks, 0.70))
    assert (result["version"], result["status"], result["deployable"]) == (1, "Approved", True)
    package = hooks["registry"].described()[0]
    metadata = package["CustomerMetadataProperties"]
    assert metadata.keys() == TUNED | {"card_uri", "card_sha256", "processing_usd"}
    assert {metadata[name] for name in TUNED - METADATA} == {"none"}
    assert metadata["auc"] == "0.700000"
    assert metadata["cost_usd"] == "0.0196"
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == metadata["bundle_uri"]
    for name in ("decision", "evaluation", "card"):
        document = hooks["objects"].open(*split_s3_uri(metadata[f"{name}_uri"])).read()
        assert hashlib.sha256(document).hexdigest() == metadata[f"{name}_sha256"]


def test_the_card_says_the_version_and_why_and_is_linked(hooks: dict[str, Any]) -> None:
    result = run(hooks, evaluated(hooks, 0.70))
    card = hooks["objects"].open(*split_s3_uri(result["pages"]["Model card"])).read().decode()
    assert "Model card: flights, version 1" in card and "registered as\nApproved" in card
    assert "The candidate&#x27;s AUC 0.7000 reaches the bar 0.6000." in card
    assert "nj-flights-eval-k" in card and "nj-flights-train-k" in card


class KilledError(Exception):
    """The worker's end."""


def test_a_worker_that_is_killed_before_the_card_is_recorded_is_made_good(
    hooks: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        raise KilledError

    jobs = evaluated(hooks, 0.70)
    with monkeypatch.context() as patch:
        patch.setattr(hooks["registry"], "add_metadata", killed)
        with pytest.raises(KilledError):
            run(hooks, jobs)
    assert "card_uri" not in hooks["registry"].described()[0]["CustomerMetadataProperties"]
    again = run(hooks, jobs)
    assert (again["version"], again["status"]) == (1, "Approved") and "Model card" in again["pages"]
    assert len(hooks["registry"].described()) == 1
    assert "card_uri" in hooks["registry"].described()[0]["CustomerMetadataProperties"]


def test_the_decision_says_which_days_the_data_set_leaves_out(hooks: dict[str, Any]) -> None:
    missing = {"2013-04-30": "was refused: nulls"}
    result = run(hooks, evaluated(hooks, 0.70), plan={**PLAN, "missing_days": missing})
    assert result["status"] == "Approved"
    assert result["reasons"].endswith("Trained without days of its window: 2013-04-30 was refused: nulls.")
    uri = hooks["registry"].described()[0]["CustomerMetadataProperties"]["decision_uri"]
    decision = json.load(hooks["objects"].open(*split_s3_uri(uri)))
    assert decision["missing_days"] == missing and decision["reasons"][-1] in result["reasons"]


def test_a_run_that_is_repeated_makes_no_second_version(hooks: dict[str, Any]) -> None:
    jobs = evaluated(hooks, 0.70)
    run(hooks, jobs)
    hooks["registry"].set_approval_status(
        hooks["registry"].described()[0]["ModelPackageArn"], "Rejected", "its deploy failed"
    )
    again = run(hooks, jobs)
    assert (again["version"], again["status"], again["deployable"]) == (1, "Rejected", False)
    assert len(hooks["registry"].described()) == 1


def test_a_worse_model_is_rejected_with_its_reasons(hooks: dict[str, Any]) -> None:
    result = run(hooks, evaluated(hooks, 0.51))
    assert (result["status"], result["deployable"]) == ("Rejected", False)
    assert "below the bar" in hooks["registry"].described()[0]["ApprovalDescription"]
    assert result["note"].startswith("Version 1 is not promoted: AUC 0.5100, with no version to compare with. The cand")


def test_a_backfilled_run_deploys_nothing(hooks: dict[str, Any]) -> None:
    result = run(hooks, evaluated(hooks, 0.70), backfilled=True)
    assert (result["status"], result["deployable"]) == ("Approved", False)


def test_an_evaluation_of_another_data_set_is_refused(hooks: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="not v2 as planned"):
        run(hooks, evaluated(hooks, 0.70), dataset_version="v2")


CHAMPION = {"champion": 3, "champion_digest": "d3", "live": 3}
COMPARED: dict[str, Any] = {
    "champion": model_evaluation(0.69),
    "difference": {"auc": 0.01, "low": -0.001, "high": 0.02},
    "champion_digest": "d3",
}


def live(hooks: dict[str, Any], version: int) -> None:
    verified = {"version": version, "bundle_digest": f"d{version}", "task_definition": "t", "history": [version]}
    append("flights", {**NOTHING_LIVE, **verified, "revision": 1}, hooks["state"])  # type: ignore[typeddict-item]


def test_a_better_model_than_the_planned_champion_is_approved(hooks: dict[str, Any]) -> None:
    live(hooks, 3)
    assert run(hooks, evaluated(hooks, 0.70, **COMPARED), **CHAMPION)["status"] == "Approved"


@pytest.mark.parametrize("name", ["champion", "candidate"])
def test_an_evaluation_that_was_altered_in_s3_is_refused(hooks: dict[str, Any], name: str) -> None:
    """This was red before: one without its champion part promoted a worse model."""
    live(hooks, 3)
    jobs = evaluated(hooks, 0.65, **COMPARED)
    bucket, key = split_s3_uri(jobs["evaluation"]["outputs"]["evaluation"] + "evaluation.json")
    document = json.loads(hooks["objects"].open(bucket, key).read())
    altered = {**document, name: None if name == "champion" else {**document["candidate"], "auc": 0.9}}
    hooks["objects"].put(bucket, key, json.dumps(altered).encode())
    with pytest.raises(RefusedError, match="was altered"):
        run(hooks, jobs, **CHAMPION)
    assert hooks["registry"].described() == []


@pytest.mark.parametrize("message", ["", "all scored", "[]", "{}"])
def test_an_evaluation_without_a_recorded_digest_is_refused(hooks: dict[str, Any], message: str) -> None:
    jobs = evaluated(hooks, 0.70)
    jobs["evaluation"]["exit_message"] = message
    with pytest.raises(RefusedError, match="recorded None"):
        run(hooks, jobs)


@pytest.mark.parametrize("compared", [{}, {**COMPARED, "champion_digest": "d2"}, {**COMPARED, "champion_digest": None}])
def test_an_evaluation_of_another_champion_than_planned_is_refused(hooks: dict[str, Any], compared: Any) -> None:
    live(hooks, 3)
    with pytest.raises(RefusedError, match="not d3 as planned"):
        run(hooks, evaluated(hooks, 0.70, **compared), **CHAMPION)


def test_a_version_that_went_live_since_the_plan_is_not_passed_over(hooks: dict[str, Any]) -> None:
    live(hooks, 4)
    with pytest.raises(RefusedError, match="Version 4 went live after"):
        run(hooks, evaluated(hooks, 0.70, **COMPARED), **CHAMPION)


def tuned(jobs: FinishedJobs, objective: float) -> FinishedJobs:
    """The jobs of a run with two trials, of which one failed."""
    values = {"learning_rate": "0.08", "max_iter": "250"}
    trials: Any = [
        {
            "job_name": "t-001",
            "status": "Completed",
            "hyperparameters": values,
            "objective": objective,
            "seconds": 360.0,
        },
        {"job_name": "t-002", "status": "Failed", "hyperparameters": {}, "objective": None, "seconds": 0.0},
    ]
    return {
        **jobs,
        "tuning": {
            "job_name": "nj-tune-k",
            "model_uri": "s3://b/trial.tar.gz",
            "objective": objective,
            "hyperparameters": values,
            "instance_type": "ml.m5.xlarge",
            "trials": trials,
        },
    }


def test_a_better_trial_is_registered_with_its_parameters_the_trials_and_their_cost(hooks: dict[str, Any]) -> None:
    jobs = tuned(evaluated(hooks, 0.71), 0.73)
    result = run(hooks, jobs, tuning_name="nj-tune-k")
    metadata = hooks["registry"].described()[0]["CustomerMetadataProperties"]
    assert metadata["tuned"] == "learning_rate=0.08 max_iter=250"
    assert (metadata["tuning"], metadata["tuned_for"]) == ("nj-tune-k", declaration_digest(FLIGHTS))
    assert float(metadata["cost_usd"]) == pytest.approx(0.0196 + 0.023), "six minutes of an ml.m5.xlarge more"
    decision = json.load(hooks["objects"].open(*split_s3_uri(metadata["decision_uri"])))["tuning"]
    assert decision["chosen"] == "trial" and len(decision["trials"]) == 2
    assert decision["baseline"] == {"auc": 0.70, "hyperparameters": {}}
    sentence = (
        "Tuning: the best of 2 trials, 1 of which failed, has a validation AUC of 0.7300 against 0.7000, "
        "with learning_rate 0.08, max_iter 250."
    )
    assert result["reasons"].endswith(sentence) and result["note"].endswith(sentence)
    assert chosen_model(jobs["training"], jobs["tuning"]) == "s3://b/trial.tar.gz"


@pytest.mark.parametrize("objective", [0.70, 0.69])
def test_a_trial_that_is_not_better_leaves_the_parameters_as_they_were(hooks: dict[str, Any], objective: float) -> None:
    jobs = tuned(evaluated(hooks, 0.71), objective)
    result = run(hooks, jobs, tuning_name="nj-tune-k", baseline={"learning_rate": 0.04})
    metadata = hooks["registry"].described()[0]["CustomerMetadataProperties"]
    assert metadata["tuned"] == "learning_rate=0.04", "what an earlier run has found is kept"
    assert "none of 2 trials, 1 of which failed, beats the validation AUC 0.7000" in result["note"]
    assert chosen_model(jobs["training"], jobs["tuning"]) == "s3://b/baseline.tar.gz"


def test_without_tuning_the_baseline_goes_on(hooks: dict[str, Any]) -> None:
    assert chosen_model(evaluated(hooks, 0.7)["training"], None) == "s3://b/baseline.tar.gz"
