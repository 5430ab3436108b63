"""Tasks, task definitions, and services without a load balancer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, VENVS, Cloud

pytestmark = pytest.mark.stack

ROLE = f"arn:aws:iam::{ACCOUNT}:role/task"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/task-execution"
PORT = 14650
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
TELL = """
import json, os, pathlib, sys, time
print(json.dumps({"argv": sys.argv[1:], "environment": dict(os.environ)}), flush=True)
code, seconds = int(sys.argv[1]), float(sys.argv[2])
time.sleep(seconds)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def tasks(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    folder = tmp_path_factory.mktemp("image")
    (folder / "tell.py").write_text(TELL)
    python = str(VENVS / "test" / "bin" / "python")
    image = {
        "python": python,
        "cwd": str(folder),
        "env": {"HOST": "{host}"},
        "command": ["python", "tell.py", "0", "0.2"],
    }
    cloud = start_cloud(images={"tell:1": image})
    cloud.client("ecs").create_cluster(clusterName="test")
    return cloud


@pytest.fixture(scope="module")
def ecs(tasks: Cloud) -> Any:
    return tasks.client("ecs")


def define(ecs: Any, family: str, **container: Any) -> str:
    settings = {
        "name": "main",
        "image": "tell:1",
        "portMappings": [{"containerPort": PORT}],
        "stopTimeout": 2,
        **container,
    }
    return ecs.register_task_definition(
        family=family, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512",
        taskRoleArn=ROLE, executionRoleArn=EXECUTION_ROLE, containerDefinitions=[settings],
    )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip


def service(ecs: Any, name: str, definition: str, count: int, **configuration: Any) -> dict[str, Any]:
    return ecs.create_service(
        cluster="test", serviceName=name, taskDefinition=definition, desiredCount=count, launchType="FARGATE",
        deploymentConfiguration=configuration,
    )["service"]  # fmt: skip


def described(ecs: Any, name: str) -> dict[str, Any]:
    return ecs.describe_services(cluster="test", services=[name])["services"][0]


def finished(cloud: Cloud, ecs: Any, arn: str) -> dict[str, Any]:
    def stopped() -> dict[str, Any] | None:
        task = ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    return cloud.wait_until(stopped)


def said(cloud: Cloud, arn: str, family: str) -> dict[str, Any]:
    """What the task's process saw, out of its log stream."""
    stream = f"main/{arn.split('/')[-1]}"
    events = cloud.client("logs").get_log_events(logGroupName=f"/local/ecs/{family}", logStreamName=stream)["events"]
    return json.loads(events[0]["message"])


def test_a_one_off_task_runs_to_its_end(tasks: Cloud, ecs: Any) -> None:
    define(ecs, "once")
    overrides = {
        "containerOverrides": [
            {"name": "main", "command": ["python", "tell.py", "7", "0"], "environment": [{"name": "A", "value": "b"}]}
        ]
    }
    started = ecs.run_task(
        cluster="test", taskDefinition="once", launchType="FARGATE", overrides=overrides, startedBy="me"
    )["tasks"][0]
    task = finished(tasks, ecs, started["taskArn"])
    assert task["containers"][0]["exitCode"] == 7 and task["stopCode"] == "EssentialContainerExited"
    seen = said(tasks, started["taskArn"], "once")
    assert seen["environment"]["A"] == "b" and seen["argv"] == ["7", "0"]
    assert seen["environment"]["HOST"] == task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert "AWS_SESSION_TOKEN" in seen["environment"]
    assert started["taskArn"] in ecs.list_tasks(cluster="test", startedBy="me", desiredStatus="STOPPED")["taskArns"]


def test_secrets_are_read_as_the_execution_role(tasks: Cloud, ecs: Any) -> None:
    secret = tasks.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "pw"}')["ARN"]
    tasks.client("ssm").put_parameter(Name="/app/mode", Value="night", Type="SecureString")
    secrets = [
        {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
        {"name": "WHOLE", "valueFrom": secret},
        {"name": "MODE", "valueFrom": "/app/mode"},
    ]
    define(ecs, "secret", secrets=secrets)
    arn = ecs.run_task(cluster="test", taskDefinition="secret", launchType="FARGATE")["tasks"][0]["taskArn"]
    finished(tasks, ecs, arn)
    environment = said(tasks, arn, "secret")["environment"]
    assert (environment["PASSWORD"], environment["WHOLE"], environment["MODE"]) == ("pw", '{"password": "pw"}', "night")
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
def test_a_task_that_cannot_start_says_why(tasks: Cloud, ecs: Any, container: dict[str, Any], reason: str) -> None:
    definition = define(ecs, "cannot", **container)
    arn = ecs.run_task(cluster="test", taskDefinition=definition, launchType="FARGATE")["tasks"][0]["taskArn"]
    task = finished(tasks, ecs, arn)
    assert task["stopCode"] == "TaskFailedToStart" and reason in task["stoppedReason"]


def test_a_task_is_stopped_by_hand(tasks: Cloud, ecs: Any) -> None:
    definition = define(ecs, "long", command=["python", "tell.py", "0", "60"])
    arn = ecs.run_task(cluster="test", taskDefinition=definition, launchType="FARGATE")["tasks"][0]["taskArn"]
    tasks.wait_until(lambda: ecs.describe_tasks(cluster="test", tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    ecs.stop_task(cluster="test", task=arn, reason="enough")
    task = finished(tasks, ecs, arn)
    assert (task["stoppedReason"], task["stopCode"], task["containers"][0]["exitCode"]) == (
        "enough",
        "UserInitiated",
        143,
    )


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
    told = ecs.describe_task_definition(taskDefinition=first)["taskDefinition"]
    container = told["containerDefinitions"][0]
    assert (
        container["healthCheck"] == health
        and container["readonlyRootFilesystem"] is True
        and container["stopTimeout"] == 2
    )
    assert (told["taskRoleArn"], told["executionRoleArn"], told["cpu"], told["revision"]) == (
        ROLE,
        EXECUTION_ROLE,
        "256",
        1,
    )
    assert told["registeredAt"]
    assert ecs.describe_task_definition(taskDefinition="kept")["taskDefinition"]["revision"] == 2
    assert ecs.list_task_definitions(familyPrefix="kept", sort="DESC")["taskDefinitionArns"] == [second, first]
    ecs.deregister_task_definition(taskDefinition=first)
    assert ecs.list_task_definitions(familyPrefix="kept")["taskDefinitionArns"] == [second]
    with pytest.raises(ClientError, match="inactive"):
        ecs.run_task(cluster="test", taskDefinition=first, launchType="FARGATE")


def test_a_service_is_scaled_to_nothing_and_back(tasks: Cloud, ecs: Any) -> None:
    service(ecs, "scaled", define(ecs, "scaled", command=["python", "tell.py", "0", "60"]), 1)
    tasks.wait_until(lambda: described(ecs, "scaled")["deployments"][0]["rolloutState"] == "COMPLETED")
    deployment = described(ecs, "scaled")["deployments"][0]["id"]
    ecs.update_service(cluster="test", service="scaled", desiredCount=0)
    tasks.wait_until(lambda: described(ecs, "scaled")["runningCount"] == 0)
    ecs.update_service(cluster="test", service="scaled", desiredCount=2)
    tasks.wait_until(lambda: described(ecs, "scaled")["runningCount"] == 2)
    assert [d["id"] for d in described(ecs, "scaled")["deployments"]] == [deployment], "a count is no deployment"
    with pytest.raises(ClientError, match="scaled above 0"):
        ecs.delete_service(cluster="test", service="scaled")
    pids = [
        int(t["containers"][0]["runtimeId"])
        for t in ecs.describe_tasks(
            cluster="test", tasks=ecs.list_tasks(cluster="test", serviceName="scaled")["taskArns"]
        )["tasks"]
    ]
    ecs.delete_service(cluster="test", service="scaled", force=True)
    tasks.wait_until(lambda: described(ecs, "scaled")["status"] == "INACTIVE")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize(("count", "percent", "fewest"), [(1, 0, 0), (2, 50, 1)])
def test_without_room_old_tasks_make_place_first(tasks: Cloud, ecs: Any, count: int, percent: int, fewest: int) -> None:
    """maximumPercent 100: never more than the desired count, and never fewer than minimumHealthyPercent of it."""
    name = f"tight-{count}"
    definition = define(ecs, name, command=["python", "tell.py", "0", "60"])
    service(ecs, name, definition, count, minimumHealthyPercent=percent, maximumPercent=100)
    tasks.wait_until(lambda: described(ecs, name)["deployments"][0]["rolloutState"] == "COMPLETED")
    old = ecs.list_tasks(cluster="test", serviceName=name)["taskArns"]
    ecs.update_service(cluster="test", service=name, forceNewDeployment=True)
    running: set[int] = set()

    def done() -> bool:
        told = described(ecs, name)
        running.add(told["runningCount"])
        assert told["runningCount"] + told["pendingCount"] <= count
        return told["deployments"][0]["rolloutState"] == "COMPLETED"

    tasks.wait_until(done, every=0.05)
    assert min(running) == fewest
    assert set(old).isdisjoint(ecs.list_tasks(cluster="test", serviceName=name)["taskArns"])
    assert {t["lastStatus"] for t in ecs.describe_tasks(cluster="test", tasks=old)["tasks"]} == {"STOPPED"}
    ecs.delete_service(cluster="test", service=name, force=True)


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(tasks: Cloud, ecs: Any) -> None:
    breaker = {"enable": True, "rollback": True}
    definition = define(ecs, "failing", command=["python", "tell.py", "3", "0"])
    service(ecs, "failing", definition, 1, deploymentCircuitBreaker=breaker)
    tasks.wait_until(lambda: described(ecs, "failing")["deployments"][0]["rolloutState"] == "FAILED")
    told = ecs.list_service_deployments(cluster="test", service="failing")["serviceDeployments"]
    assert [d["status"] for d in told] == ["ROLLBACK_FAILED"] and "No rollback candidate" in told[0]["statusReason"]
    failed = described(ecs, "failing")["deployments"][0]["failedTasks"]
    assert failed == 3 == described(ecs, "failing")["deployments"][0]["failedTasks"], "and nothing is started any more"
    stopped = ecs.list_tasks(cluster="test", serviceName="failing", desiredStatus="STOPPED")["taskArns"]
    assert {t["containers"][0]["exitCode"] for t in ecs.describe_tasks(cluster="test", tasks=stopped)["tasks"]} == {3}
    ecs.delete_service(cluster="test", service="failing", force=True)


def test_without_rollback_the_old_tasks_stay_until_a_good_deployment(tasks: Cloud, ecs: Any) -> None:
    running = ["python", "tell.py", "0", "60"]
    service(
        ecs,
        "stuck",
        define(ecs, "stuck", command=running),
        1,
        deploymentCircuitBreaker={"enable": True, "rollback": False},
    )
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "COMPLETED")
    kept = ecs.list_tasks(cluster="test", serviceName="stuck")["taskArns"]
    bad = define(ecs, "stuck", command=["python", "tell.py", "3", "0"])
    deployment = ecs.update_service(cluster="test", service="stuck", taskDefinition=bad)["service"]["deployments"][0][
        "id"
    ]
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "FAILED")
    assert described(ecs, "stuck")["deployments"][0]["id"] == deployment
    assert ecs.list_tasks(cluster="test", serviceName="stuck")["taskArns"] == kept
    ecs.update_service(cluster="test", service="stuck", taskDefinition=define(ecs, "stuck", command=running))
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "COMPLETED")
    told = ecs.list_service_deployments(cluster="test", service="stuck")["serviceDeployments"]
    assert [d["status"] for d in told] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    ecs.delete_service(cluster="test", service="stuck", force=True)


def test_a_deployment_is_stopped_by_hand_and_rolled_back(tasks: Cloud, ecs: Any) -> None:
    good = define(ecs, "manual", command=["python", "tell.py", "0", "60"])
    service(ecs, "manual", good, 1)
    tasks.wait_until(lambda: described(ecs, "manual")["deployments"][0]["rolloutState"] == "COMPLETED")
    kept = ecs.list_tasks(cluster="test", serviceName="manual")["taskArns"]
    ecs.update_service(
        cluster="test", service="manual", taskDefinition=define(ecs, "manual", command=["python", "tell.py", "3", "0"])
    )
    current = described(ecs, "manual")["currentServiceDeployment"]
    ecs.stop_service_deployment(serviceDeploymentArn=current, stopType="ROLLBACK")

    def verdict() -> str:
        return ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]["status"]

    tasks.wait_until(lambda: verdict() == "ROLLBACK_SUCCESSFUL")
    listed = ecs.list_service_deployments(
        cluster="test", service="manual", status=["ROLLBACK_SUCCESSFUL"], createdAt={"after": YESTERDAY}
    )
    assert [d["serviceDeploymentArn"] for d in listed["serviceDeployments"]] == [current]
    none = ecs.list_service_deployments(cluster="test", service="manual", createdAt={"before": YESTERDAY})
    assert none["serviceDeployments"] == []
    assert described(ecs, "manual")["taskDefinition"] == good
    assert ecs.list_tasks(cluster="test", serviceName="manual")["taskArns"] == kept, "the old task was never touched"
    ecs.delete_service(cluster="test", service="manual", force=True)


def test_what_would_not_be_done_is_refused(ecs: Any) -> None:
    definition = define(ecs, "refused")
    with pytest.raises(ClientError, match="scheduling strategy DAEMON"):
        ecs.create_service(cluster="test", serviceName="r", taskDefinition=definition, schedulingStrategy="DAEMON")
    with pytest.raises(ClientError, match="does not exist"):
        balancer = {"targetGroupArn": "arn:nothing", "containerName": "main", "containerPort": PORT}
        ecs.create_service(
            cluster="test", serviceName="r", taskDefinition=definition, desiredCount=1, loadBalancers=[balancer]
        )
    with pytest.raises(ClientError, match="container instances"):
        ecs.start_task(cluster="test", taskDefinition=definition, containerInstances=["i"])
    with pytest.raises(ClientError) as missing:
        ecs.update_service(cluster="test", service="r", desiredCount=1)
    assert missing.value.response["Error"]["Code"] == "ServiceNotFoundException"


def test_the_providers_hook_sees_tasks_and_clusters(
    tasks: Cloud, ecs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for name, value in tasks.environment().items():
        monkeypatch.setenv(name, value)
    from airflow.providers.amazon.aws.hooks.ecs import EcsHook

    hook = EcsHook(aws_conn_id=None)
    assert hook.get_cluster_state("test") == "ACTIVE"
    define(ecs, "hooked")
    arn = hook.conn.run_task(cluster="test", taskDefinition="hooked", launchType="FARGATE")["tasks"][0]["taskArn"]
    hook.conn.get_waiter("tasks_stopped").wait(
        cluster="test", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert hook.get_task_state("test", arn) == "STOPPED"


def test_nothing_outlives_the_server(start_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    (tmp_path / "tell.py").write_text(TELL)
    image = {
        "python": str(VENVS / "test" / "bin" / "python"),
        "cwd": str(tmp_path),
        "command": ["python", "tell.py", "0", "60"],
    }
    cloud = start_cloud(images={"tell:1": image})
    client = cloud.client("ecs")
    client.create_cluster(clusterName="test")
    definition = define(client, "left")
    service(client, "left", definition, 2)
    cloud.wait_until(lambda: described(client, "left")["runningCount"] == 2)
    arns = client.list_tasks(cluster="test", serviceName="left")["taskArns"]
    pids = [int(t["containers"][0]["runtimeId"]) for t in client.describe_tasks(cluster="test", tasks=arns)["tasks"]]
    os.kill(cloud.process.pid, 9)
    cloud.process.wait(10)
    cloud.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), seconds=10)
