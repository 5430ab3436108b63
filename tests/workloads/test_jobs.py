"""The ``jobs`` block: what is declared is requested, what is not is left to the default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_workload import document, refusal, tiny_workload


def test_without_the_block_every_job_has_its_default(tmp_path: Path) -> None:
    jobs = tiny_workload(tmp_path).jobs
    assert jobs.transform.request() == jobs.audit.request() == {}
    assert (jobs.glue_seconds(7200), jobs.sagemaker_seconds(900)) == (7200, 900)
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    assert jobs.training.cluster("ml.m5.xlarge") == jobs.evaluation.cluster("ml.m5.xlarge") == cluster


def test_what_is_declared_is_requested(tmp_path: Path) -> None:
    declared = {
        "transform": {"worker_type": "G.2X", "workers": 10, "minutes": 240},
        "audit": {"workers": 3},
        "training": {"instance_type": "ml.m5.4xlarge", "instance_gb": 100},
        "evaluation": {"max_runtime_seconds": 3000},
    }
    jobs = tiny_workload(tmp_path, jobs=declared).jobs
    assert jobs.transform.request() == {"WorkerType": "G.2X", "NumberOfWorkers": 10, "Timeout": 240}
    assert jobs.audit.request() == {"NumberOfWorkers": 3}
    assert jobs.glue_seconds(7200) > 240 * 60, "the sensor outlives the job's own time limit"
    assert jobs.training.cluster("ml.m5.xlarge")["InstanceType"] == "ml.m5.4xlarge"
    assert jobs.evaluation.cluster("ml.m5.xlarge")["InstanceType"] == "ml.m5.xlarge"
    assert (jobs.evaluation_seconds(900), jobs.sagemaker_seconds(900), jobs.sagemaker_seconds(9000)) == (
        3000,
        3000,
        9000,
    )


def test_the_size_of_a_job_leaves_published_days_valid(tmp_path: Path) -> None:
    one = tiny_workload(tmp_path / "one").process_hash()
    assert tiny_workload(tmp_path / "other", jobs={"transform": {"workers": 9}}).process_hash() == one


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"transform": {"worker_type": "G.3X"}}, "jobs.transform.worker_type: Input should be 'G.025X', 'G.1X'"),
        ({"transform": {"workers": 1}}, "jobs.transform.workers: Input should be greater than or equal to 2"),
        ({"training": {"instance_type": "m5.xlarge"}}, "jobs.training.instance_type: String should match"),
        ({"training": {"minutes": 5}}, "jobs.training.minutes: is not a field here"),
        ({"evaluation": {"max_runtime_seconds": 5}}, "jobs.evaluation.max_runtime_seconds: Input should be greater"),
        ({"trainings": {}}, "jobs.trainings: is not a field here; did you mean training?"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, declared: dict[str, Any], expected: str) -> None:
    assert expected in refusal(tmp_path, workload=document(jobs=declared))
