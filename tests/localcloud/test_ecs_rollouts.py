"""Services without a load balancer: scaling, rollouts that succeed, fail or are stopped, and the end of the server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.ecs_services import described, tasks_of
from tests.support.ecs_tasks import define, ecs, start_script_cloud, tasks
from tests.support.localcloud import Cloud

YESTERDAY = datetime.now(UTC) - timedelta(days=1)

__all__ = ["ecs", "tasks"]

pytestmark = pytest.mark.stack


def create_service(ecs: Any, name: str, definition: str, count: int, **configuration: Any) -> None:
    ecs.create_service(
        cluster="test",
        serviceName=name,
        taskDefinition=definition,
        desiredCount=count,
        launchType="FARGATE",
        deploymentConfiguration=configuration,
    )


def test_a_service_is_scaled_to_nothing_and_back(tasks: Cloud, ecs: Any) -> None:
    create_service(ecs, "scaled", define(ecs, "scaled", command=["python", "script.py", "0", "600"]), 1)
    tasks.wait_until(lambda: described(ecs, "scaled")["deployments"][0]["rolloutState"] == "COMPLETED")
    deployment = described(ecs, "scaled")["deployments"][0]["id"]
    ecs.update_service(cluster="test", service="scaled", desiredCount=0)
    tasks.wait_until(lambda: described(ecs, "scaled")["runningCount"] == 0)
    ecs.update_service(cluster="test", service="scaled", desiredCount=2)
    tasks.wait_until(lambda: described(ecs, "scaled")["runningCount"] == 2)
    assert [d["id"] for d in described(ecs, "scaled")["deployments"]] == [deployment], (
        "another count starts no deployment"
    )
    with pytest.raises(ClientError, match="scaled above 0"):
        ecs.delete_service(cluster="test", service="scaled")
    pids = [int(t["containers"][0]["runtimeId"]) for t in tasks_of(ecs, "scaled")]
    ecs.delete_service(cluster="test", service="scaled", force=True)
    tasks.wait_until(lambda: described(ecs, "scaled")["status"] == "INACTIVE")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize(("count", "percent", "fewest"), [(1, 0, 0), (2, 50, 1)])
def test_old_tasks_stop_first_at_the_maximum_percent(
    tasks: Cloud, ecs: Any, count: int, percent: int, fewest: int
) -> None:
    """maximumPercent 100: never more than the desired count, and never fewer than minimumHealthyPercent of it.

    So an old task is told to stop before a new one is made.
    """
    name = f"tight-{count}"
    definition = define(ecs, name, command=["python", "script.py", "0", "600"])
    create_service(ecs, name, definition, count, minimumHealthyPercent=percent, maximumPercent=100)
    tasks.wait_until(lambda: described(ecs, name)["deployments"][0]["rolloutState"] == "COMPLETED")
    old = ecs.list_tasks(cluster="test", serviceName=name)["taskArns"]
    ecs.update_service(cluster="test", service=name, forceNewDeployment=True)
    running: set[int] = set()

    def done() -> bool:
        state = described(ecs, name)
        running.add(state["runningCount"])
        assert state["runningCount"] + state["pendingCount"] <= count
        return state["deployments"][0]["rolloutState"] == "COMPLETED"

    tasks.wait_until(done, every=0.05)
    assert min(running) >= fewest
    new = ecs.list_tasks(cluster="test", serviceName=name)["taskArns"]
    stopping = [task["stoppingAt"] for task in ecs.describe_tasks(cluster="test", tasks=old)["tasks"]]
    created = [task["createdAt"] for task in ecs.describe_tasks(cluster="test", tasks=new)["tasks"]]
    assert sorted(stopping) <= sorted(created)
    assert set(old).isdisjoint(ecs.list_tasks(cluster="test", serviceName=name)["taskArns"])
    assert {t["lastStatus"] for t in ecs.describe_tasks(cluster="test", tasks=old)["tasks"]} == {"STOPPED"}
    ecs.delete_service(cluster="test", service=name, force=True)


def test_a_first_deployment_that_fails_cannot_be_rolled_back(tasks: Cloud, ecs: Any) -> None:
    breaker = {"enable": True, "rollback": True}
    definition = define(ecs, "failing", command=["python", "script.py", "3", "0"])
    create_service(ecs, "failing", definition, 1, deploymentCircuitBreaker=breaker)
    tasks.wait_until(lambda: described(ecs, "failing")["deployments"][0]["rolloutState"] == "FAILED")
    rollouts = ecs.list_service_deployments(cluster="test", service="failing")["serviceDeployments"]
    assert [d["status"] for d in rollouts] == ["ROLLBACK_FAILED"] and "No rollback candidate" in rollouts[0][
        "statusReason"
    ]
    time.sleep(1)  # several passes of the scheduler
    assert described(ecs, "failing")["deployments"][0]["failedTasks"] == 3, "no more tasks are started"
    stopped = ecs.list_tasks(cluster="test", serviceName="failing", desiredStatus="STOPPED")["taskArns"]
    assert {t["containers"][0]["exitCode"] for t in ecs.describe_tasks(cluster="test", tasks=stopped)["tasks"]} == {3}
    ecs.delete_service(cluster="test", service="failing", force=True)


def test_without_rollback_the_old_tasks_stay_until_a_good_deployment(tasks: Cloud, ecs: Any) -> None:
    running = ["python", "script.py", "0", "600"]
    create_service(
        ecs,
        "stuck",
        define(ecs, "stuck", command=running),
        1,
        deploymentCircuitBreaker={"enable": True, "rollback": False},
    )
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "COMPLETED")
    kept = ecs.list_tasks(cluster="test", serviceName="stuck")["taskArns"]
    bad = define(ecs, "stuck", command=["python", "script.py", "3", "0"])
    deployment = ecs.update_service(cluster="test", service="stuck", taskDefinition=bad)["service"]["deployments"][0][
        "id"
    ]
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "FAILED")
    assert described(ecs, "stuck")["deployments"][0]["id"] == deployment
    assert ecs.list_tasks(cluster="test", serviceName="stuck")["taskArns"] == kept
    ecs.update_service(cluster="test", service="stuck", taskDefinition=define(ecs, "stuck", command=running))
    tasks.wait_until(lambda: described(ecs, "stuck")["deployments"][0]["rolloutState"] == "COMPLETED")
    rollouts = ecs.list_service_deployments(cluster="test", service="stuck")["serviceDeployments"]
    assert [d["status"] for d in rollouts] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    ecs.delete_service(cluster="test", service="stuck", force=True)


def test_a_deployment_is_stopped_by_hand_and_rolled_back(tasks: Cloud, ecs: Any) -> None:
    good = define(ecs, "manual", command=["python", "script.py", "0", "600"])
    create_service(ecs, "manual", good, 1)
    tasks.wait_until(lambda: described(ecs, "manual")["deployments"][0]["rolloutState"] == "COMPLETED")
    kept = ecs.list_tasks(cluster="test", serviceName="manual")["taskArns"]
    ecs.update_service(
        cluster="test",
        service="manual",
        taskDefinition=define(ecs, "manual", command=["python", "script.py", "3", "0"]),
    )
    current = described(ecs, "manual")["currentServiceDeployment"]
    ecs.stop_service_deployment(serviceDeploymentArn=current, stopType="ROLLBACK")

    def rollout_status() -> str:
        return ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]["status"]

    tasks.wait_until(lambda: rollout_status() == "ROLLBACK_SUCCESSFUL")
    listed = ecs.list_service_deployments(
        cluster="test", service="manual", status=["ROLLBACK_SUCCESSFUL"], createdAt={"after": YESTERDAY}
    )
    assert [d["serviceDeploymentArn"] for d in listed["serviceDeployments"]] == [current]
    none = ecs.list_service_deployments(cluster="test", service="manual", createdAt={"before": YESTERDAY})
    assert none["serviceDeployments"] == []
    assert described(ecs, "manual")["taskDefinition"] == good
    assert ecs.list_tasks(cluster="test", serviceName="manual")["taskArns"] == kept, "the old task was never touched"
    ecs.delete_service(cluster="test", service="manual", force=True)


def test_no_process_outlives_a_killed_server(start_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    cloud = start_script_cloud(start_cloud, tmp_path, command=["python", "script.py", "0", "600"])
    client = cloud.client("ecs")
    definition = define(client, "orphan")
    create_service(client, "orphan", definition, 2)
    cloud.wait_until(lambda: described(client, "orphan")["runningCount"] == 2)
    pids = [int(t["containers"][0]["runtimeId"]) for t in tasks_of(client, "orphan")]
    os.kill(cloud.process.pid, 9)
    cloud.process.wait(60)
    cloud.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
