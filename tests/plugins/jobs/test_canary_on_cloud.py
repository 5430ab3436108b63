"""A canary on the local cloud: two real services behind one listener, real weights, and CloudWatch's metrics of both.

Only the clock of the comparison is the test's: its minutes are over as soon as the requests are answered.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from airflow.sdk.exceptions import TaskDeferred
from nightjar.jobs import JobSensor
from nightjar.jobs.ecs import EcsRollout, EcsService, SubmitRolloutOperator
from nightjar.metric_values import MetricsHook
from nightjar.weights import TargetGroupWeights

from include.pipelines.deploy.canary import Canary, CanaryHooks, Verdict
from include.pipelines.deploy.live import NOTHING_LIVE, begun, went_live
from include.pipelines.deploy.live_log import append
from include.workloads.deploying import CanarySpec
from infra.laptop.free_ports import free_port
from tests.support.canaries import with_canary
from tests.support.deploy_runs import StateInMemory
from tests.support.job_clouds import context, fire
from tests.support.localcloud import Cloud, base_config, running_cloud

pytestmark = pytest.mark.stack

PORT = free_port()
TEMPLATE = "nightjar-flights-template"
SPEC = CanarySpec(share=0.3, minutes=2, minimum_requests=20, latency_factor=5)
# What a busy machine adds to some answers is little beside the time of each, and beside five times as much.
ANSWER_SECONDS = 0.04
# In a slow version every tenth answer takes this long: more than the five percent that a 95th percentile leaves out.
SLOW_SECONDS = 2
REQUESTS, CALLERS = 400, 4
SETTLED_SECONDS = 90
APP = '''
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION, FAILS = os.environ["MODEL_VERSION"], float(os.environ.get("FAILS", 0))
ANSWER, SLOW = float(os.environ["ANSWER_SECONDS"]), float(os.environ.get("SLOW_SECONDS", 0))
asked = 0

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        global asked
        fails = False
        if self.path != "/ready":
            asked += 1
            fails = asked * FAILS % 1 + FAILS >= 1
            time.sleep(SLOW if SLOW and asked % 10 == 0 else ANSWER)
        body = json.dumps({"version": VERSION}).encode()
        self.send_response(500 if fails else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

bins = json.loads(os.environ.get("SCORES", "[]"))
counted = [(number / 10 + 0.05, count) for number, count in enumerate(bins) if count]
score = {"Values": [value for value, _ in counted], "Counts": [count for _, count in counted]}
metric = {"Namespace": "Nightjar/Serving", "Metrics": [{"Name": "Score"}], "Dimensions": [["Workload", "ModelVersion"]]}

def tell():
    """As the service does: the distribution of its scores as an embedded metric, in each minute of a comparison."""
    while bins:
        head = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}}
        print(json.dumps({**head, "Workload": "flights", "ModelVersion": VERSION, "Score": score}), flush=True)
        time.sleep(1)

threading.Thread(target=tell, daemon=True).start()
server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
'''
BELL = json.dumps([0, 10, 40, 90, 160, 160, 90, 40, 10, 0])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud with the service's image, the load balancer, both target groups and both services."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "app.py").write_text(APP)
    command = ["python", "app.py", "{host}", "{port}"]
    images = {"app:1": {"python": sys.executable, "cwd": str(folder), "command": command}}
    with running_cloud(tmp_path_factory.mktemp("cloud"), {**base_config(), "images": images}) as running:
        running.client("ecs").create_cluster(clusterName="nightjar")
        register_template(running)
        yield running


def register_template(cloud: Cloud) -> None:
    container = {
        "name": "app",
        "image": "app:0",
        "portMappings": [{"containerPort": PORT}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": "app"},
        },
    }
    cloud.client("ecs").register_task_definition(
        family=TEMPLATE, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/execution", containerDefinitions=[container],
    )  # fmt: skip


def make_services(cloud: Cloud, main: str, beside: str, port: int) -> None:
    """Makes what the bootstrap makes for a workload with a canary: two services, each with a target group."""
    ec2, elb, ecs = cloud.client("ec2"), cloud.client("elbv2"), cloud.client("ecs")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    arns = []
    for name in (main, beside):
        made = elb.create_target_group(
            Name=name, Protocol="HTTP", Port=PORT, VpcId=vpc, TargetType="ip", HealthCheckPath="/ready"
        )
        arns.append(made["TargetGroups"][0]["TargetGroupArn"])
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
        elb.modify_target_group_attributes(TargetGroupArn=arns[-1], Attributes=delay)
    balancer = elb.create_load_balancer(Name=main, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(arns, (100, 0), strict=True)]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )
    for name, arn in zip((main, beside), arns, strict=True):
        ecs.create_service(
            cluster="nightjar", serviceName=name, taskDefinition=TEMPLATE, desiredCount=0, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
            loadBalancers=[{"targetGroupArn": arn, "containerName": "app", "containerPort": PORT}],
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )  # fmt: skip


class Deploying:
    """Deploys of versions to services of their own, and requests to their listener."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.main, self.beside, self.port = name, f"{name}-c", free_port()
        make_services(cloud, self.main, self.beside, self.port)
        self.state = StateInMemory()
        self.weights = TargetGroupWeights(self.main, self.beside)
        service = EcsService.connect("nightjar", self.beside)
        self.metrics = MetricsHook()
        self.hooks = CanaryHooks(cast("Any", self.state), self.weights, service, self.metrics)
        self.shift = timedelta()
        workload = with_canary(SPEC)
        self.canary = Canary(workload, self.hooks, settle=timedelta(), now=lambda: datetime.now(UTC) + self.shift)

    def intend(self, version: int) -> str:
        """Records that a run is about to deploy a version in place of the one before."""
        run_id = f"run of {version}"
        asked: Any = {"kind": "deploy", "release_hold": False, "reason": None}
        first = begun(NOTHING_LIVE, run_id="first", version=version - 1, **asked)
        live = went_live(first, version=version - 1, bundle_digest="d", task_definition="t", image="app:1")
        pointer = {**live, "revision": 10 * version}
        append("flights", begun(pointer, run_id=run_id, version=version, **asked), self.state)  # type: ignore[arg-type]
        return run_id

    def roll(self, service: str, version: int, **environment: str) -> None:
        """Rolls a service out to a version."""
        submit = SubmitRolloutOperator(
            task_id="submit",
            cluster="nightjar",
            service=service,
            template_family=TEMPLATE,
            image="app:1",
            environment={"MODEL_VERSION": version, "ANSWER_SECONDS": str(ANSWER_SECONDS), **environment},
            desired_count=1,
            fence=lambda run_id: None,
        )
        rollout = submit.execute(context(f"{service} {version}"))
        sensor = JobSensor(task_id="sense", job=EcsRollout("nightjar", service, **rollout), poll_seconds=0.2)
        try:
            sensor.execute(context())
        except TaskDeferred as deferred:
            sensor.execute_complete(context(), fire(deferred.trigger))

    def try_out(self, version: int, **environment: str) -> Verdict:
        """Tries a version on a share of the requests: the steps of the DAG, with real requests in between."""
        run_id = self.intend(version)
        self.canary.check_begin(run_id)
        self.roll(self.beside, version, **environment)
        self.shift = timedelta(minutes=-1)  # the present minute counts
        target: Any = {"version": version, "live_version": version - 1}
        trial = self.canary.share_traffic(target, run_id)
        answered = self.load(REQUESTS)
        assert {*answered} == {str(version - 1), str(version)}
        assert 0.15 < answered[str(version)] / REQUESTS < 0.45
        self.shift = timedelta()
        self.until_counted(trial["start"])
        self.shift = timedelta(minutes=10)
        verdict = self.canary.compare(trial, run_id)
        assert verdict is not None
        return verdict

    def until_counted(self, start: str) -> None:
        """Waits until the metrics have every request."""
        since = datetime.fromisoformat(start)
        names = {f"g{number}": dimensions for number, dimensions in enumerate(self.weights.dimensions())}
        queries: Any = {key: ("AWS/ApplicationELB", "RequestCount", known, "Sum") for key, known in names.items()}
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            found = self.hooks.metrics.minutes(queries, since, since + timedelta(minutes=2))
            if sum(sum(values.values()) for values in found.values()) >= REQUESTS:
                return
            assert time.monotonic() < deadline, found
            time.sleep(0.5)

    def load(self, requests: int) -> Counter[str]:
        """Makes requests by several callers at once; returns how many each version has answered."""
        found: Counter[str] = Counter()
        lock = threading.Lock()

        def call() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            for _ in range(requests // CALLERS):
                connection.request("GET", "/")
                body = json.loads(connection.getresponse().read())
                with lock:
                    found[body["version"]] += 1
            connection.close()

        callers = [threading.Thread(target=call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        return found


@pytest.fixture
def deploying(on_cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Deploying]:
    made = Deploying(on_cloud, f"test-{request.node.name[-3:].strip('[]-')}")
    yield made
    made.hooks.end()


def test_a_good_version_is_promoted(deploying: Deploying) -> None:
    deploying.roll(deploying.main, 1, SCORES=BELL)
    verdict = deploying.try_out(2, SCORES=BELL)
    assert (verdict["outcome"], verdict["fault"]) == ("promote", False)
    assert "distance of the scores' distributions 0.000" in verdict["reasons"][0]
    assert {*deploying.load(40)} == {"1"}  # all requests came back
    assert deploying.hooks.service.primary()["desiredCount"] == 0


@pytest.mark.parametrize(
    ("version", "environment", "reason"),
    [
        pytest.param(12, {"FAILS": "0.4"}, "fails more often", id="12"),
        pytest.param(22, {"SLOW_SECONDS": str(SLOW_SECONDS)}, "slower", id="22"),
        pytest.param(32, {"SCORES": json.dumps([500, 100, *[0] * 8])}, "scores otherwise", id="32"),
    ],
)
def test_a_worse_one_goes_back(deploying: Deploying, version: int, environment: dict[str, str], reason: str) -> None:
    deploying.roll(deploying.main, version - 1, SCORES=BELL)
    verdict = deploying.try_out(version, **{"SCORES": BELL, **environment})
    assert (verdict["outcome"], verdict["fault"]) == ("roll_back", True)
    assert reason in verdict["reasons"][0]
    assert {*deploying.load(40)} == {str(version - 1)}
