"""Services as processes behind a load balancer: responses while they are deployed, killed, broken and removed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.laptop.free_ports import free_port
from tests.support.ecs_services import balance, completed, described, last_rollout, tasks_of
from tests.support.localcloud import ACCOUNT, VENVS, Cloud

pytestmark = pytest.mark.stack

LISTENER, CONTAINER_PORT = free_port(), free_port()
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-execution"
APP = """
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/slow":
            time.sleep(0.5)
        broken = os.environ.get("BROKEN") == "unhealthy"
        status = 503 if broken else 200
        body = json.dumps({"version": os.environ.get("VERSION"), "secret": os.environ.get("SECRET"), "pid": os.getpid(),
                           "key": os.environ.get("AWS_ACCESS_KEY_ID"), "address": sys.argv[1]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass

if os.environ.get("BROKEN") == "exit":
    sys.exit(3)
time.sleep(float(os.environ.get("START_SECONDS", 0)))
print("serving", os.environ.get("VERSION"), flush=True)
server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
server.daemon_threads = True
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


@pytest.fixture(scope="module")
def services(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """A server with one image: a web server that answers with its version."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "app.py").write_text(APP)
    (folder / "once.py").write_text(
        "import sys, time\nprint('once', sys.argv[1:], flush=True)\ntime.sleep(0.2)\nsys.exit(int(sys.argv[1]))\n"
    )
    python = str(VENVS / "test" / "bin" / "python")
    images = {
        "app:1": {"python": python, "cwd": str(folder), "command": ["python", "app.py", "{host}", "{port}"]},
        "once:1": {"python": python, "cwd": str(folder), "command": ["python", "once.py", "0"]},
    }
    return start_cloud(images=images)


@pytest.fixture(scope="module")
def ecs(services: Cloud) -> Any:
    client = services.client("ecs")
    client.create_cluster(clusterName="test")
    return client


@pytest.fixture(scope="module")
def target_group(services: Cloud) -> str:
    """The target group of a load balancer with a quick health check and a short deregistration delay."""
    return balance(services, "app", LISTENER, CONTAINER_PORT, drain_seconds=3)


def define(ecs: Any, version: str, **environment: str) -> str:
    """Registers a revision of the app, whose responses contain ``version``."""
    pairs = [{"name": name, "value": value} for name, value in {"VERSION": version, **environment}.items()]
    container = {
        "name": "app",
        "image": "app:1",
        "portMappings": [{"containerPort": CONTAINER_PORT}],
        "environment": pairs,
        "stopTimeout": 5,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "web"},
        },
    }
    return ecs.register_task_definition(
        family="app", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512",
        taskRoleArn=ROLE, executionRoleArn=EXECUTION_ROLE, containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip


def create(ecs: Any, name: str, definition: str, group: str | None, **settings: Any) -> dict[str, Any]:
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": CONTAINER_PORT}] if group else []
    return ecs.create_service(
        cluster="test", serviceName=name, taskDefinition=definition, launchType="FARGATE", loadBalancers=balancers,
        **{
            "desiredCount": 2,
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **settings,
        },
    )["service"]  # fmt: skip


def ask(path: str = "/version") -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", LISTENER, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else {}
    finally:
        connection.close()


class Load:
    """Steady requests on keep-alive connections, with the version of each response and every failure."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[path]) for path in ("/version", "/version", "/slow")]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", LISTENER, timeout=60)
        while not self._stop.wait(0.01):
            try:
                connection.request("POST", path, b"{}")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    self.versions.append(json.loads(body)["version"])
                else:
                    self.failures.append(f"HTTP {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
        connection.close()


@pytest.fixture(scope="module")
def web(services: Cloud, ecs: Any, target_group: str) -> Iterator[str]:
    """A service with two tasks of version 1, which most tests redeploy."""
    definition = define(ecs, "1")
    create(ecs, "web", definition, target_group, healthCheckGracePeriodSeconds=0, tags=[{"key": "team", "value": "ml"}])
    services.wait_until(lambda: completed(ecs, "web"))
    yield "web"
    ecs.delete_service(cluster="test", service="web", force=True)
    services.wait_until(lambda: described(ecs, "web")["status"] == "INACTIVE")


def test_each_task_of_a_service_has_its_own_address(services: Cloud, ecs: Any, web: str, target_group: str) -> None:
    tasks = tasks_of(ecs, web)
    addresses = {t["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for t in tasks}
    assert len(addresses) == 2 and "127.0.0.1" not in addresses
    assert {ask()[1]["address"] for _ in range(10)} == addresses, "round robin over both"
    health = services.client("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    assert {(h["Target"]["Id"], h["Target"]["Port"], h["TargetHealth"]["State"]) for h in health} == {
        (address, CONTAINER_PORT, "healthy") for address in addresses
    }
    assert all(t["lastStatus"] == "RUNNING" and t["startedAt"] and t["group"] == "service:web" for t in tasks)
    streams = services.client("logs").describe_log_streams(logGroupName="/ecs/app")["logStreams"]
    assert any(s["logStreamName"] == f"web/app/{tasks[0]['taskArn'].split('/')[-1]}" for s in streams)


def test_a_service_keeps_its_settings(ecs: Any, web: str) -> None:
    service = ecs.describe_services(cluster="test", services=[web], include=["TAGS"])["services"][0]
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 100
    assert service["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ["subnet-1"]
    assert service["loadBalancers"][0]["containerPort"] == CONTAINER_PORT
    assert service["tags"] == [{"key": "team", "value": "ml"}]
    assert service["healthCheckGracePeriodSeconds"] == 0


def test_creating_the_cluster_again_keeps_it_with_its_services(ecs: Any, web: str) -> None:
    before = ecs.describe_clusters(clusters=["test"])["clusters"][0]
    again = ecs.create_cluster(clusterName="test")["cluster"]
    assert (again["clusterArn"], again["activeServicesCount"]) == (before["clusterArn"], 1)
    with pytest.raises(ecs.exceptions.ClusterContainsServicesException):
        ecs.delete_cluster(cluster="test")
    assert described(ecs, web)["runningCount"] == 2


def test_a_rolling_redeploy_under_load_fails_no_request(services: Cloud, ecs: Any, web: str) -> None:
    before = {t["taskArn"] for t in tasks_of(ecs, web)}
    definition = define(ecs, "2", START_SECONDS="2")
    with Load() as load:
        time.sleep(0.5)
        deployment = ecs.update_service(cluster="test", service=web, taskDefinition=definition)["service"][
            "deployments"
        ][0]
        assert deployment["status"] == "PRIMARY" and deployment["rolloutState"] == "IN_PROGRESS"
        primary = services.wait_until(lambda: completed(ecs, web))
        time.sleep(0.5)
    assert load.failures == []
    assert load.versions[0] == "1" and load.versions[-1] == "2"
    assert primary["id"] == deployment["id"] and primary["taskDefinition"] == definition
    assert before.isdisjoint(t["taskArn"] for t in tasks_of(ecs, web))
    rollout = last_rollout(ecs, web)
    assert rollout["status"] == "SUCCESSFUL" and rollout["finishedAt"]
    assert len(rollout["sourceServiceRevisions"]) == 1
    revision = ecs.describe_service_revisions(serviceRevisionArns=[rollout["targetServiceRevision"]["arn"]])[
        "serviceRevisions"
    ][0]
    assert revision["taskDefinition"] == definition
    old = ecs.describe_tasks(cluster="test", tasks=list(before))["tasks"]
    assert {t["lastStatus"] for t in old} == {"STOPPED"} and {t["containers"][0]["exitCode"] for t in old} == {0}


def test_a_killed_task_is_replaced(services: Cloud, ecs: Any, web: str) -> None:
    victim = tasks_of(ecs, web)[0]
    with Load() as load:
        os.kill(int(victim["containers"][0]["runtimeId"]), signal.SIGKILL)
        services.wait_until(lambda: victim["taskArn"] not in {t["taskArn"] for t in tasks_of(ecs, web)})
        services.wait_until(lambda: described(ecs, web)["runningCount"] == 2 and completed(ecs, web))
    dead = ecs.describe_tasks(cluster="test", tasks=[victim["taskArn"]])["tasks"][0]
    assert dead["lastStatus"] == "STOPPED" and dead["containers"][0]["exitCode"] == 137
    assert dead["stoppedReason"] == "Essential container in task exited"
    assert dead["stopCode"] == "EssentialContainerExited"
    assert len(load.failures) <= 3, "at most the request in progress of each connection"


@pytest.mark.parametrize("broken", ["exit", "unhealthy"])
def test_the_circuit_breaker_rolls_back(services: Cloud, ecs: Any, web: str, broken: str) -> None:
    good = described(ecs, web)["taskDefinition"]
    version = ask()[1]["version"]
    definition = define(ecs, "bad", BROKEN=broken)
    with Load() as load:
        deployment = ecs.update_service(cluster="test", service=web, taskDefinition=definition)["service"][
            "deployments"
        ][0]
        services.wait_until(lambda: described(ecs, web)["deployments"][0]["id"] != deployment["id"])
        primary = services.wait_until(lambda: completed(ecs, web))
    assert load.failures == [] and set(load.versions) == {version}
    assert primary["taskDefinition"] == good == described(ecs, web)["taskDefinition"]
    rollout = last_rollout(ecs, web)
    assert rollout["status"] == "ROLLBACK_SUCCESSFUL"
    assert "circuit breaker" in rollout["statusReason"]
    assert rollout["deploymentCircuitBreaker"]["failureCount"] >= rollout["deploymentCircuitBreaker"]["threshold"] == 3
    assert rollout["rollback"]["serviceRevisionArn"] != rollout["targetServiceRevision"]["arn"]
    assert any("failed" in event["message"] for event in described(ecs, web)["events"])
