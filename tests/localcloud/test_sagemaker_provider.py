"""SageMaker jobs through the operators and triggers of Airflow's Amazon provider."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.localcloud import Cloud
from tests.support.sagemaker_jobs import BUCKET, archive, jobs, keys, processing, training

__all__ = ["jobs"]

pytestmark = pytest.mark.stack


@pytest.fixture
def provider(jobs: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The provider's SageMaker operators, pointed at the server by environment variables only."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for name, value in jobs.environment().items():
        monkeypatch.setenv(name, value)
    from airflow.providers.amazon.aws.operators import sagemaker

    return sagemaker


def test_the_training_operator_waits_and_shows_the_log(jobs: Cloud, provider: Any) -> None:
    operator = provider.SageMakerTrainingOperator(
        task_id="train", config=training("by-operator"), check_interval=1, print_log=False, aws_conn_id=None
    )
    job = operator.execute({})["Training"]
    assert job["TrainingJobStatus"] == "Completed"
    assert "seen.json" in archive(jobs, f"s3://{BUCKET}/out/by-operator/output/model.tar.gz")


def test_the_training_operator_fails_with_the_job(provider: Any) -> None:
    operator = provider.SageMakerTrainingOperator(
        task_id="train",
        config=training("by-operator-bad", behave="fail"),
        check_interval=1,
        print_log=False,
        aws_conn_id=None,
    )
    with pytest.raises(Exception, match="the data is bad"):
        operator.execute({})


@pytest.mark.parametrize(("argument", "status"), [("ok", "success"), ("fail", "error")])
def test_the_deferred_processing_operator_and_its_trigger(
    jobs: Cloud, provider: Any, argument: str, status: str
) -> None:
    pytest.importorskip("aiobotocore", reason="the provider's triggers need aiobotocore in the test environment")
    from airflow.sdk.exceptions import TaskDeferred

    name = f"deferred-{argument}"
    operator = provider.SageMakerProcessingOperator(
        task_id="evaluate",
        config=processing(name, argument),
        deferrable=True,
        check_interval=1,
        print_log=False,
        aws_conn_id=None,
    )

    async def first_event(trigger: Any) -> Any:
        return await anext(trigger.run())

    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert asyncio.run(first_event(deferred.value.trigger)).payload["status"] == status
    assert bool(keys(jobs, f"evaluated/{name}/")) == (status == "success")
