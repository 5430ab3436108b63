"""The end of a night: decided, written down, registered once."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.pipelines.promotion.packages import METADATA
from include.pipelines.retrain import run as night
from include.settings import Settings
from include.workloads import load
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
FLIGHTS = load("flights")
PLANNED = {"day": "2013-05-01", "cutoff": "2013-05-02T00:00:00Z", "code_sha": "sha"}
PREPARED = {"dataset_version": "v1", "backfilled": False, "champion": None}


@pytest.fixture
def hooks(on_cloud: Cloud) -> dict[str, Any]:
    """The real hooks on buckets, a table and a model group of this test's own."""
    name = uuid.uuid4().hex[:8]
    on_cloud.client("s3").create_bucket(Bucket=f"artifact-{name}")
    keys = {"pk": "HASH", "sk": "RANGE"}
    on_cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return {"objects": ObjectStoreHook(), "state": StateHook(name), "versions": RegistryHook(f"nightjar-{name}")}


def evaluated(hooks: dict[str, Any], auc: float, digest: str = "d1") -> dict[str, Any]:
    """An evaluation in S3, and what the sensors would have returned."""
    measured = {"auc": auc, "auc_low": auc - 0.01, "auc_high": auc + 0.01}
    slices = {"UA": {"auc": auc, "rows": 500}}
    document = {
        "candidate": {**measured, "slices": slices},
        "champion": None,
        "difference": None,
        "bundle_digest": digest,
        "dataset_version": "v1",
    }
    bucket = f"artifact-{hooks['state'].table}"
    hooks["objects"].put(bucket, "jobs/e/evaluation.json", json.dumps(document).encode())
    return {
        "dataset": {"scanned_bytes": 10**9},
        "digest": {"scanned_bytes": 10**9},
        "training": {"instance_type": "ml.m5.xlarge", "billable_seconds": 100},
        "evaluation": {
            "job_name": "nj-flights-eval-k",
            "instance_type": "ml.m5.xlarge",
            "execution_seconds": 50.0,
            "outputs": {"evaluation": f"s3://{bucket}/jobs/e/"},
        },
    }


def judge(hooks: dict[str, Any], jobs: dict[str, Any], **prepared: Any) -> dict[str, Any]:
    settings = Settings(
        lake_bucket="lake",
        artifact_bucket=f"artifact-{hooks['state'].table}",
        training_image="training:1",
        training_role_arn="arn:aws:iam::123456789012:role/training",
        serving_image="serving:1",
        alerts_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
    )
    return night.judge(FLIGHTS, PLANNED, PREPARED | prepared, jobs, settings, **hooks)


def test_a_good_model_is_approved_with_everything_known_of_it(hooks: dict[str, Any]) -> None:
    result = judge(hooks, evaluated(hooks, 0.70))
    assert (result["version"], result["status"], result["deployable"]) == (1, "Approved", True)
    package = hooks["versions"].described()[0]
    metadata = package["CustomerMetadataProperties"]
    assert metadata.keys() == METADATA
    assert metadata["auc"] == "0.700000"
    assert metadata["cost_usd"] == "0.0196"
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == metadata["bundle_uri"]
    for name in ("decision", "evaluation"):
        bucket, _, key = metadata[f"{name}_uri"].removeprefix("s3://").partition("/")
        assert hashlib.sha256(hooks["objects"].open(bucket, key).read()).hexdigest() == metadata[f"{name}_sha256"]


def test_a_night_that_is_run_again_makes_no_second_version(hooks: dict[str, Any]) -> None:
    jobs = evaluated(hooks, 0.70)
    judge(hooks, jobs)
    hooks["versions"].judge(hooks["versions"].described()[0]["ModelPackageArn"], "Rejected", "its deploy failed")
    again = judge(hooks, jobs)
    assert (again["version"], again["status"], again["deployable"]) == (1, "Rejected", False)
    assert len(hooks["versions"].described()) == 1


def test_a_worse_model_is_rejected_with_its_reasons(hooks: dict[str, Any]) -> None:
    result = judge(hooks, evaluated(hooks, 0.51))
    assert (result["status"], result["deployable"]) == ("Rejected", False)
    assert "below the bar" in hooks["versions"].described()[0]["ApprovalDescription"]


def test_a_backfilled_night_deploys_nothing(hooks: dict[str, Any]) -> None:
    result = judge(hooks, evaluated(hooks, 0.70), backfilled=True)
    assert (result["status"], result["deployable"]) == ("Approved", False)


def test_an_evaluation_of_another_data_set_is_refused(hooks: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="not v2"):
        judge(hooks, evaluated(hooks, 0.70), dataset_version="v2")
