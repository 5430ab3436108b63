"""One-off tasks and task definitions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.localcloud import mounts
from tests.support.ecs_tasks import EXECUTION_ROLE, PORT, ROLE, define, ecs, start_script_cloud, tasks
from tests.support.localcloud import Cloud

__all__ = ["ecs", "tasks"]

pytestmark = pytest.mark.stack


def finished(cloud: Cloud, ecs: Any, arn: str) -> dict[str, Any]:
    def stopped() -> dict[str, Any] | None:
        task = ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    return cloud.wait_until(stopped)


def printed(cloud: Cloud, arn: str, family: str) -> dict[str, Any]:
    """The line of JSON that the task printed, from its log stream."""
    stream = f"main/{arn.split('/')[-1]}"
    events = cloud.client("logs").get_log_events(logGroupName=f"/local/ecs/{family}", logStreamName=stream)["events"]
    return json.loads(events[0]["message"])


def test_a_one_off_task_runs_to_its_end(tasks: Cloud, ecs: Any) -> None:
    define(ecs, "once")
    overrides = {
        "containerOverrides": [
            {"name": "main", "command": ["python", "script.py", "7", "0"], "environment": [{"name": "A", "value": "b"}]}
        ]
    }
    started = ecs.run_task(
        cluster="test", taskDefinition="once", launchType="FARGATE", overrides=overrides, startedBy="me"
    )["tasks"][0]
    task = finished(tasks, ecs, started["taskArn"])
    assert task["containers"][0]["exitCode"] == 7 and task["stopCode"] == "EssentialContainerExited"
    seen = printed(tasks, started["taskArn"], "once")
    assert seen["environment"]["A"] == "b" and seen["argv"] == ["7", "0"]
    assert seen["environment"]["HOST"] == task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert "AWS_SESSION_TOKEN" in seen["environment"]
    assert started["taskArn"] in ecs.list_tasks(cluster="test", startedBy="me", desiredStatus="STOPPED")["taskArns"]


def test_secrets_are_read_as_the_execution_role(tasks: Cloud, ecs: Any) -> None:
    secret = tasks.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "pw"}')["ARN"]
    tasks.client("ssm").put_parameter(Name="/app/mode", Value="batch", Type="SecureString")
    secrets = [
        {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
        {"name": "WHOLE", "valueFrom": secret},
        {"name": "MODE", "valueFrom": "/app/mode"},
    ]
    define(ecs, "secret", secrets=secrets)
    arn = ecs.run_task(cluster="test", taskDefinition="secret", launchType="FARGATE")["tasks"][0]["taskArn"]
    finished(tasks, ecs, arn)
    environment = printed(tasks, arn, "secret")["environment"]
    assert (environment["PASSWORD"], environment["WHOLE"], environment["MODE"]) == ("pw", '{"password": "pw"}', "batch")
    roles = {line["role"] for line in tasks.requests() if line["action"] in ("GetSecretValue", "GetParameter")}
    assert roles == {EXECUTION_ROLE}


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"image": "nowhere:1"}, "CannotPullContainerError: image 'nowhere:1'"),
        (
            {"secrets": [{"name": "X", "valueFrom": "/not/there"}]},
            "ResourceInitializationError: unable to pull secret /not/there",
        ),
    ],
)
def test_a_task_that_cannot_start_has_a_reason(tasks: Cloud, ecs: Any, container: dict[str, Any], reason: str) -> None:
    definition = define(ecs, "cannot", **container)
    arn = ecs.run_task(cluster="test", taskDefinition=definition, launchType="FARGATE")["tasks"][0]["taskArn"]
    task = finished(tasks, ecs, arn)
    assert task["stopCode"] == "TaskFailedToStart" and reason in task["stoppedReason"]


def test_a_task_is_stopped_by_hand(tasks: Cloud, ecs: Any) -> None:
    definition = define(ecs, "long", command=["python", "script.py", "0", "600"])
    arn = ecs.run_task(cluster="test", taskDefinition=definition, launchType="FARGATE")["tasks"][0]["taskArn"]
    tasks.wait_until(lambda: ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    ecs.stop_task(cluster="test", task=arn, reason="enough")
    task = finished(tasks, ecs, arn)
    assert (task["stoppedReason"], task["stopCode"], task["containers"][0]["exitCode"]) == (
        "enough",
        "UserInitiated",
        143,
    )


def test_a_task_that_is_stopped_while_pending_leaves_the_scheduler_running(tasks: Cloud, ecs: Any) -> None:
    """The scheduler took the stop for the end of the server, and ended for good while the health check was fine."""
    definition = define(ecs, "pending", command=["python", "script.py", "0", "600"])
    for _ in range(3):
        arn = ecs.run_task(cluster="test", taskDefinition=definition, launchType="FARGATE")["tasks"][0]["taskArn"]
        ecs.stop_task(cluster="test", task=arn, reason="at once")
        task = finished(tasks, ecs, arn)
        assert (task["stoppedReason"], task["stopCode"]) == ("at once", "UserInitiated")
    arn = ecs.run_task(cluster="test", taskDefinition=define(ecs, "after"), launchType="FARGATE")["tasks"][0]["taskArn"]
    assert finished(tasks, ecs, arn)["stopCode"] == "EssentialContainerExited"
    health = httpx.get(f"{tasks.endpoint}/_nightjar/health", timeout=60)
    assert health.status_code == 200 and health.json()["wrong"] == []
    assert "ecs-scheduler" in [part["name"] for part in health.json()["parts"]]


@pytest.mark.skipif(mounts.refusal() is not None, reason=f"no mounts on this machine: {mounts.refusal()}")
def test_an_image_sees_the_mounts_of_its_configuration(
    start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mounted")
    (folder / "model.txt").write_text("the model")
    cloud = start_script_cloud(start_cloud, tmp_path_factory.mktemp("image"), mounts={"/opt/ml": str(folder)})
    command = ["python", "-c", "print(open('/opt/ml/model.txt').read())"]
    client = cloud.client("ecs")
    arn = client.run_task(
        cluster="test", taskDefinition=define(client, "mount", command=command), launchType="FARGATE"
    )["tasks"][0]["taskArn"]
    assert finished(cloud, client, arn)["containers"][0]["exitCode"] == 0
    events = cloud.client("logs").get_log_events(
        logGroupName="/local/ecs/mount", logStreamName=f"main/{arn.split('/')[-1]}"
    )["events"]
    assert [event["message"] for event in events] == ["the model"]


def test_task_definitions_keep_every_field(ecs: Any) -> None:
    health = {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3}
    first = define(
        ecs,
        "kept",
        healthCheck=health,
        readonlyRootFilesystem=True,
        ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
    )
    second = define(ecs, "kept")
    definition = ecs.describe_task_definition(taskDefinition=first)["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert (
        container["healthCheck"] == health
        and container["readonlyRootFilesystem"] is True
        and container["stopTimeout"] == 2
    )
    assert (definition["taskRoleArn"], definition["executionRoleArn"]) == (ROLE, EXECUTION_ROLE)
    assert (definition["cpu"], definition["revision"]) == ("256", 1) and definition["registeredAt"]
    assert ecs.describe_task_definition(taskDefinition="kept")["taskDefinition"]["revision"] == 2
    assert ecs.list_task_definitions(familyPrefix="kept", sort="DESC")["taskDefinitionArns"] == [second, first]
    ecs.deregister_task_definition(taskDefinition=first)
    assert ecs.list_task_definitions(familyPrefix="kept")["taskDefinitionArns"] == [second]
    with pytest.raises(ClientError, match="inactive"):
        ecs.run_task(cluster="test", taskDefinition=first, launchType="FARGATE")


def test_tasks_that_need_an_instance_are_refused(ecs: Any) -> None:
    """They ran as if they were Fargate's, where AWS has no instance to run them on."""
    definition, service = define(ecs, "placed"), {"cluster": "test", "serviceName": "placed"}
    bridge = ecs.register_task_definition(
        family="bridge", containerDefinitions=[{"name": "main", "image": "script:1", "memory": 128}]
    )["taskDefinition"]["taskDefinitionArn"]
    for placement, reason in (
        ({}, "No Container Instances were found"),
        ({"launchType": "EC2"}, "No Container Instances were found"),
        ({"launchType": "EXTERNAL"}, "No Container Instances were found"),
        ({"capacityProviderStrategy": [{"capacityProvider": "own"}]}, "capacity provider own was not found"),
        ({"launchType": "FARGATE", "taskDefinition": bridge}, "does not support launch_type FARGATE"),
    ):
        with pytest.raises(ClientError, match=reason):
            ecs.run_task(**{"cluster": "test", "taskDefinition": definition, **placement})
        with pytest.raises(ClientError, match=reason):
            ecs.create_service(**{**service, "taskDefinition": definition, **placement})
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    ecs.create_cluster(clusterName="spot", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=spot)
    assert ecs.run_task(cluster="spot", taskDefinition=definition)["tasks"]


def test_unsupported_settings_are_refused(ecs: Any) -> None:
    definition = define(ecs, "refused")
    with pytest.raises(ClientError, match="scheduling strategy DAEMON"):
        ecs.create_service(cluster="test", serviceName="r", taskDefinition=definition, schedulingStrategy="DAEMON")
    balancer = {"targetGroupArn": "arn:nothing", "containerName": "main", "containerPort": PORT}
    with pytest.raises(ClientError, match="does not exist"):
        ecs.create_service(
            cluster="test", serviceName="r", taskDefinition=definition, launchType="FARGATE", loadBalancers=[balancer]
        )
    with pytest.raises(ClientError, match="container instances"):
        ecs.start_task(cluster="test", taskDefinition=definition, containerInstances=["i"])
    with pytest.raises(ClientError) as missing:
        ecs.update_service(cluster="test", service="r", desiredCount=1)
    assert missing.value.response["Error"]["Code"] == "ServiceNotFoundException"


def test_a_task_is_forked_from_the_interpreter_of_its_image(start_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    """Tasks of one service share the memory of what they import."""
    (tmp_path / "forked.py").write_text(
        "import json, os, sys; print(json.dumps(['yaml' in sys.modules, os.environ['HOST']]))"
    )
    command = ["python", "forked.py"]
    cloud = start_script_cloud(start_cloud, tmp_path, preload=["yaml"], command=command)
    ecs = cloud.client("ecs")
    define(ecs, "forked")
    started = ecs.run_task(cluster="test", taskDefinition="forked", launchType="FARGATE")["tasks"][0]
    task = finished(cloud, ecs, started["taskArn"])
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert printed(cloud, started["taskArn"], "forked") == [True, address]
