"""Rollouts on the local cloud, whose services are processes: green, killed, broken, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from nightjar.jobs.ecs.sensor import EcsRolloutSensor
from nightjar.jobs.ecs.service import EcsServiceHook
from nightjar.jobs.ecs.submit import SubmitRolloutOperator
from nightjar.operators.restore import RestoreServiceOperator

from tests.support.job_clouds import context, fire
from tests.support.localcloud import ACCOUNT, Cloud

pytestmark = pytest.mark.stack

SERVICE = {"cluster": "nightjar", "service": "nightjar-flights"}


@pytest.fixture(scope="module")
def ecs(cloud: Cloud) -> Any:
    """A cluster, a template, and a service that runs no task yet."""
    client = cloud.client("ecs")
    client.create_cluster(clusterName="nightjar")
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/flights", "awslogs-stream-prefix": "service"}}
    client.register_task_definition(
        family="nightjar-flights-template",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/task",
        executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
        containerDefinitions=[
            {
                "name": "service",
                "image": "app:0",
                "essential": True,
                "portMappings": [{"containerPort": 14730}],
                "environment": [{"name": "WORKLOAD", "value": "template"}, {"name": "KEPT", "value": "yes"}],
                "logConfiguration": log,
            }
        ],
    )
    client.create_service(
        cluster="nightjar",
        serviceName="nightjar-flights",
        taskDefinition="nightjar-flights-template",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    return client


@pytest.fixture(autouse=True)
def environment(ecs: Any, on_cloud: Cloud) -> None:
    """Every test here talks to the local cloud."""


def submit(version: str, run_id: str) -> dict[str, str]:
    operator = SubmitRolloutOperator(
        task_id="submit",
        **SERVICE,
        template_family="nightjar-flights-template",
        image="app:1",
        environment={"MODEL_VERSION": version, "WORKLOAD": "flights"},
        desired_count=1,
    )
    return operator.execute(context(run_id))


def sense(rollout: dict[str, str]) -> dict[str, Any]:
    sensor = EcsRolloutSensor(task_id="sense", **SERVICE, poll_seconds=0.2, **rollout)
    try:
        return sensor.execute(context())
    except TaskDeferred as deferred:
        return sensor.execute_complete(context(), fire(deferred.trigger))


def deployments(ecs: Any) -> list[str]:
    briefs = ecs.list_service_deployments(cluster="nightjar", service="nightjar-flights")["serviceDeployments"]
    return [brief["serviceDeploymentArn"] for brief in briefs]


def test_a_service_is_deployed_broken_and_taken_back(ecs: Any) -> None:
    # Green; the template's variables are kept, ours laid over them.
    first = submit("1", "run-1")
    assert sense(first)["task_definition"] == first["task_definition"]
    hook = EcsServiceHook("nightjar", "nightjar-flights")
    assert hook.environment(first["task_definition"]) == {"MODEL_VERSION": "1", "WORKLOAD": "flights", "KEPT": "yes"}

    # A worker that died after its submit finds its own rollout.
    rolled = deployments(ecs)
    assert submit("1", "run-1") == first
    assert deployments(ecs) == rolled

    # A version that cannot start is red with its tasks' reasons, and ECS has gone back by itself.
    broken = submit("broken", "run-2")
    with pytest.raises(AirflowFailException) as failure:
        sense(broken)
    text = str(failure.value)
    assert "ROLLBACK_SUCCESSFUL" in text and "exit 3" in text and "the bundle cannot be loaded" in text
    target = {"previous_task_definition": first["task_definition"], "live_version": 1}
    restore = RestoreServiceOperator(task_id="restore", **SERVICE, target=target)
    with pytest.raises(AirflowSkipException, match="rolled back by itself"):
        restore.execute(context())

    # A rollout that ECS calls successful is red when the service has been given another task definition since.
    second = submit("2", "run-3")
    sense(second)
    sense(submit("3", "run-4"))
    with pytest.raises(AirflowFailException, match="PRIMARY task definition is"):
        sense(second)

    # After a failed verification the service is rolled back, and that is sensed like any rollout.
    restored = restore.execute(context())
    assert sense(restored)["task_definition"] == first["task_definition"]
    assert hook.primary()["taskDefinition"] == first["task_definition"]


def test_the_first_version_ever_is_taken_down_when_it_is_red(ecs: Any) -> None:
    target = {"previous_task_definition": "template", "live_version": None}
    with pytest.raises(AirflowSkipException, match="no tasks"):
        RestoreServiceOperator(task_id="restore", **SERVICE, target=target).execute(context())
    assert EcsServiceHook("nightjar", "nightjar-flights").describe()["desiredCount"] == 0


def test_a_service_that_is_missing_says_who_makes_it(ecs: Any) -> None:
    with pytest.raises(LookupError, match="Infrastructure creates it"):
        EcsServiceHook("nightjar", "absent").describe()


def test_nothing_chosen_is_nothing_restored(ecs: Any) -> None:
    with pytest.raises(AirflowSkipException):
        RestoreServiceOperator(task_id="restore", **SERVICE, target=None).execute(context())
