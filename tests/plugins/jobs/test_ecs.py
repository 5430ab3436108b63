"""Rollouts on the local cloud, whose services are processes: green, killed, broken, rolled back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from botocore.exceptions import ClientError
from nightjar.jobs.ecs import EcsRollout, EcsService, RolloutResult, SubmitRolloutOperator
from nightjar.jobs.sensor import JobSensor

from infra.laptop.free_ports import free_port
from tests.support.job_clouds import context, fire
from tests.support.job_pages import CONSOLE, HOSTILE, open_link
from tests.support.localcloud import ACCOUNT, Cloud

pytestmark = pytest.mark.stack

SERVICE: dict[str, Any] = {"cluster": "nightjar", "service": "nightjar-flights"}


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


def submitting(version: str | int, fence: Any = lambda run_id: None) -> SubmitRolloutOperator:
    return SubmitRolloutOperator(
        task_id="submit",
        **SERVICE,
        template_family="nightjar-flights-template",
        image="app:1",
        environment={"MODEL_VERSION": version, "WORKLOAD": "flights"},
        desired_count=1,
        fence=fence,
        fail=LookupError,
    )


def submit(version: str | int, run_id: str, fence: Any = lambda run_id: None) -> RolloutResult:
    return submitting(version, fence).execute(context(run_id))


def sense(rollout: RolloutResult) -> Any:
    sensor = JobSensor(task_id="sense", job=EcsRollout(**SERVICE, **rollout), poll_seconds=0.2)
    try:
        return sensor.execute(context())
    except TaskDeferred as deferred:
        return sensor.execute_complete(context(), fire(deferred.trigger))


def deployments(ecs: Any) -> list[str]:
    briefs = ecs.list_service_deployments(cluster="nightjar", service="nightjar-flights")["serviceDeployments"]
    return [brief["serviceDeploymentArn"] for brief in briefs]


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The role may not list the service's tasks."""

    def stopped_tasks(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "ListTasks")

    monkeypatch.setattr(EcsService, "stopped_tasks", stopped_tasks)


@pytest.mark.usefixtures("denied")
def test_a_denied_call_for_the_log_neither_fails_a_good_rollout_nor_hides_a_bad_one(ecs: Any) -> None:
    good = submit(7, "run-7")
    assert sense(good)["task_definition"] == good["task_definition"]
    with pytest.raises(AirflowFailException, match=r"ROLLBACK_SUCCESSFUL(.|\n)*ListTasks"):
        sense(submit("broken", "run-8"))


def test_a_service_is_deployed_broken_and_taken_back(ecs: Any) -> None:
    # Green; the template's variables are kept, and those of the rollout are added.
    first = submit(1, "run-1")  # a number becomes text
    assert sense(first)["task_definition"] == first["task_definition"]
    service = EcsService.connect(**SERVICE)
    assert service.environment(first["task_definition"]) == {"MODEL_VERSION": "1", "WORKLOAD": "flights", "KEPT": "yes"}

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
    assert service.task_definition() == first["task_definition"]

    # A rollout that ECS calls successful is red when the service has been given another task definition since.
    second = submit("2", "run-3")
    sense(second)
    sense(submit("3", "run-4"))
    with pytest.raises(AirflowFailException, match="PRIMARY task definition is"):
        sense(second)

    # A roll back to an old revision is sensed like any rollout.
    deployment = service.roll(first["task_definition"], desired_count=0)
    back = sense({"task_definition": first["task_definition"], "service_deployment_arn": deployment})
    assert back["task_definition"] == first["task_definition"]
    assert service.primary()["taskDefinition"] == first["task_definition"]


def test_the_link_of_a_rollout_opens_it_with_its_service(
    ecs: Any, on_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", CONSOLE)
    sense(submit("5", "run-9"))  # ECS can go back to it
    operator = submitting("broken")
    rollout = operator.execute(context("run-10"))
    with pytest.raises(AirflowFailException) as failure:
        sense(rollout)
    assert operator.job_link in str(failure.value), "both tasks have one link"
    page = open_link(operator.job_link)
    assert page.status == 200
    assert page.facts["service"] == SERVICE["service"] and page.facts["state"] == "ROLLBACK_SUCCESSFUL"
    assert datetime.fromisoformat(page.facts["start"]) <= datetime.fromisoformat(page.facts["end"])
    for part in ("Why it failed", "exit 3", "the bundle cannot be loaded", "Deployments of the service", '"PRIMARY"'):
        assert part in page.text
    assert page.links == [], "the service has no URL yet"

    ssm = on_cloud.client("ssm")
    for url, links in {"http://127.0.0.1:8000": ["http://127.0.0.1:8000"], "javascript:alert(1)": []}.items():
        ssm.put_parameter(Name="/nightjar/flights/service_url", Value=url, Type="String", Overwrite=True)
        assert open_link(operator.job_link).links == links

    hostile = EcsRollout(operator.cluster, HOSTILE, rollout["service_deployment_arn"], HOSTILE)
    page = open_link(hostile.link(ecs))
    assert page.status == 200 and page.facts["service"] == HOSTILE


def test_a_service_can_be_taken_down_to_no_tasks(ecs: Any) -> None:
    EcsService.connect(**SERVICE).stop_all()
    assert EcsService.connect(**SERVICE).describe()["desiredCount"] == 0


def test_a_service_that_is_missing_says_who_makes_it(ecs: Any) -> None:
    with pytest.raises(LookupError, match="Infrastructure creates it"):
        EcsService.connect("nightjar", "absent").describe()


def container(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": f"{name}:0",
        "essential": True,
        "environment": [{"name": "OWN", "value": name}],
        "portMappings": [] if name == "logs" else [{"containerPort": 8080}],
    }


def register_template(client: Any, family: str, *names: str) -> None:
    client.register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/execution",
        containerDefinitions=[container(name) for name in names],
    )


@pytest.fixture(scope="module")
def routed(cloud: Cloud, ecs: Any) -> EcsService:
    """A service without tasks, whose load balancer sends requests to the container ``app``."""
    balancers = cloud.client("elbv2")
    ec2 = cloud.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    group = balancers.create_target_group(Name="routed", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    balancer = balancers.create_load_balancer(Name="routed", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    balancers.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=free_port(), DefaultActions=forward)
    register_template(ecs, "routed-template", "logs", "app")
    ecs.create_service(
        cluster="nightjar",
        serviceName="routed",
        taskDefinition="routed-template",
        desiredCount=0,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": arn, "containerName": "app", "containerPort": 8080}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
    )
    return EcsService(ecs, "nightjar", "routed")


def test_the_container_behind_the_load_balancer_gets_the_version(ecs: Any, routed: EcsService) -> None:
    """A log router or another sidecar may come first in the template."""
    revision = routed.register("routed-template", "routed", "key", "app:7", {"MODEL_VERSION": "7"})
    logs, app = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]["containerDefinitions"]
    assert (logs["image"], app["image"]) == ("logs:0", "app:7")
    assert routed.environment(revision) == {"MODEL_VERSION": "7", "OWN": "app"}
    assert routed.image(revision) == "app:7"
    assert logs["environment"] == [{"name": "OWN", "value": "logs"}]


def test_a_template_without_that_container_is_refused(ecs: Any, routed: EcsService) -> None:
    register_template(ecs, "renamed-template", "logs", "web")
    with pytest.raises(LookupError, match="has the containers logs, web, but the load balancer of the service routed"):
        routed.register("renamed-template", "routed", "other", "app:7", {})


def test_a_run_that_another_one_overtook_rolls_nothing_out(ecs: Any) -> None:
    before = deployments(ecs)

    def overtaken(run_id: str) -> None:
        raise LookupError(f"another run than {run_id} is newer")

    with pytest.raises(AirflowFailException, match="another run than manual__9"):
        submit(9, "manual__9", overtaken)
    assert deployments(ecs) == before


def test_a_run_that_is_overtaken_during_its_update_fails(ecs: Any) -> None:
    calls: list[str] = []

    def overtaken(run_id: str) -> None:
        calls.append(run_id)
        if len(calls) == 2:
            raise LookupError("another run is newer")

    with pytest.raises(AirflowFailException, match="newer"):
        submit(9, "manual__9", overtaken)
