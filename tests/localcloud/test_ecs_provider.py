"""ECS tasks through the hook of Airflow's Amazon provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ecs_tasks import define, tasks
from tests.support.localcloud import Cloud

__all__ = ["tasks"]

pytestmark = pytest.mark.stack


def test_the_providers_hook_reads_tasks_and_clusters(
    tasks: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for name, value in tasks.environment().items():
        monkeypatch.setenv(name, value)
    from airflow.providers.amazon.aws.hooks.ecs import EcsHook

    hook = EcsHook(aws_conn_id=None)
    assert hook.get_cluster_state("test") == "ACTIVE"
    define(tasks.client("ecs"), "hooked")
    arn = hook.conn.run_task(cluster="test", taskDefinition="hooked", launchType="FARGATE")["tasks"][0]["taskArn"]
    hook.conn.get_waiter("tasks_stopped").wait(
        cluster="test", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert hook.get_task_state("test", arn) == "STOPPED"
