"""The provider's ECS operators and sensors: a cluster and its task definition; instances are refused, Fargate runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SUBNETS, SystemRun

pytestmark = pytest.mark.stack
CLUSTER, FAMILY, GROUP = "system-ecs", "system-ecs", "/system/ecs"
ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}"


@pytest.fixture
def run(system_run: Callable[..., SystemRun]) -> SystemRun:
    own = [f"{ECS}:{kind}" for kind in (f"cluster/{CLUSTER}", f"task/{CLUSTER}/*", f"task-definition/{FAMILY}:*")]
    definitions = [f"ecs:{name}TaskDefinition" for name in ("Register", "Deregister", "Describe")]
    clusters = [f"ecs:{name}" for name in ("CreateCluster", "DeleteCluster", "DescribeClusters", "DescribeTasks")]
    return system_run(
        allow([*clusters, "ecs:RunTask"], own),
        allow([*definitions, "ecs:ListTasks"]),
        allow("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:*"),
    )


def test_a_cluster_runs_a_task_on_fargate_and_refuses_instances(cloud: Cloud, run: SystemRun) -> None:
    from airflow.providers.amazon.aws.hooks.ecs import EcsClusterStates
    from airflow.providers.amazon.aws.operators import ecs as operators
    from airflow.providers.amazon.aws.sensors.ecs import EcsClusterStateSensor, EcsTaskDefinitionStateSensor

    run.execute(operators.EcsCreateClusterOperator, cluster_name=CLUSTER, wait_for_completion=False)
    run.execute(EcsClusterStateSensor, cluster_name=CLUSTER, timeout=10)
    logs = {"awslogs-group": GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
    container = {
        "name": "shell", "image": "ubuntu", "entryPoint": ["sh", "-c"], "command": ["ls"],
        "logConfiguration": {"logDriver": "awslogs", "options": logs},
    }  # fmt: skip
    definition = run.execute(
        operators.EcsRegisterTaskDefinitionOperator,
        family=FAMILY, container_definitions=[container],
        register_task_kwargs={"cpu": "256", "memory": "512", "networkMode": "awsvpc"},
    )  # fmt: skip
    run.execute(EcsTaskDefinitionStateSensor, task_definition=definition, timeout=10)

    task = {
        "cluster": CLUSTER, "task_definition": definition, "network_configuration": SUBNETS, "container_name": "shell",
        "awslogs_group": GROUP, "awslogs_region": "us-east-1", "awslogs_stream_prefix": "ecs/shell",
        "awslogs_fetch_interval": timedelta(seconds=0.2), "waiter_delay": 1, "reattach": True,
    }  # fmt: skip
    hello = {"containerOverrides": [{"name": "shell", "command": ["echo hello; echo $((40 + 2))"]}]}
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster"):
        run.execute(operators.EcsRunTaskOperator, overrides=hello, **task)
    assert cloud.client("ecs").list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"] == []
    assert run.execute(operators.EcsRunTaskOperator, overrides=hello, launch_type="FARGATE", **task) == "42"

    run.execute(operators.EcsDeregisterTaskDefinitionOperator, task_definition=definition)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        run.execute(operators.EcsRunTaskOperator, overrides={}, launch_type="FARGATE", **task)
    run.execute(operators.EcsDeleteClusterOperator, cluster_name=CLUSTER, wait_for_completion=False)
    run.execute(
        EcsClusterStateSensor, cluster_name=CLUSTER, target_state=EcsClusterStates.INACTIVE, timeout=10,
        failure_states={EcsClusterStates.FAILED},
    )  # fmt: skip
