"""The provider's operator and sensor of Fargate tasks: with and without waiting, deferred, and failing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SUBNETS, SystemRun

pytestmark = pytest.mark.stack
CLUSTER, FAMILY, BUCKET = "system-fargate", "system-fargate", "system-fargate"
ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}"
PUT = """
import os, sys, boto3
boto3.client("s3").put_object(Bucket=sys.argv[1], Key=os.environ["KEY"], Body=b"by the task")
"""


@pytest.fixture
def definition(cloud: Cloud, job_role: Callable[..., str]) -> Iterator[dict[str, Any]]:
    """A task definition whose containers may write one object."""
    ecs = cloud.client("ecs")
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    ecs.create_cluster(clusterName=CLUSTER)
    container = {"name": "job", "image": "ubuntu", "entryPoint": ["python", "-c"], "command": ["print(1)"]}
    registered = ecs.register_task_definition(
        family=FAMILY, cpu="256", memory="512", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        taskRoleArn=job_role("ecs-tasks", allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/out/*")),
        containerDefinitions=[container],
    )  # fmt: skip
    yield registered["taskDefinition"]
    ecs.deregister_task_definition(taskDefinition=f"{FAMILY}:1")
    ecs.delete_cluster(cluster=CLUSTER)


def test_tasks_write_with_their_own_role(
    cloud: Cloud, definition: dict[str, Any], system_run: Callable[..., SystemRun]
) -> None:
    from airflow.providers.amazon.aws.hooks.ecs import EcsTaskStates
    from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
    from airflow.providers.amazon.aws.sensors.ecs import EcsTaskStateSensor

    role = definition["taskRoleArn"]
    run = system_run(
        allow("ecs:RunTask", f"{ECS}:task-definition/{FAMILY}:*"),
        allow(["ecs:DescribeTasks", "ecs:StopTask"], f"{ECS}:task/{CLUSTER}/*"),
        allow("iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
    )

    def start(key: str, *command: str, **more: Any) -> str:
        environment = [{"name": "KEY", "value": key}]
        override = {"name": "job", "command": list(command), "environment": environment}
        run.execute(
            EcsRunTaskOperator, key.replace("/", "-"),
            cluster=CLUSTER, task_definition=FAMILY, launch_type="FARGATE", network_configuration=SUBNETS,
            overrides={"containerOverrides": [override]}, waiter_delay=1, do_xcom_push=True, **more,
        )  # fmt: skip
        return str(run.xcoms[key.replace("/", "-"), "ecs_task_arn"])

    first = start("out/sensed", PUT, BUCKET, wait_for_completion=False)
    run.execute(
        EcsTaskStateSensor, cluster=CLUSTER, task=first, timeout=30,
        target_state=EcsTaskStates.STOPPED, failure_states={EcsTaskStates.NONE},
    )  # fmt: skip
    start("out/deferred", PUT, BUCKET, deferrable=True)
    with pytest.raises(Exception, match="Essential container in task exited"):
        start("forbidden", PUT, BUCKET)
    forbidden = run.xcoms["forbidden", "ecs_task_arn"]
    [failed] = cloud.client("ecs").describe_tasks(cluster=CLUSTER, tasks=[forbidden])["tasks"]
    assert failed["containers"][0]["exitCode"] == 1
    s3 = cloud.client("s3")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["out/deferred", "out/sensed"]
    assert s3.get_object(Bucket=BUCKET, Key="out/sensed")["Body"].read() == b"by the task"
