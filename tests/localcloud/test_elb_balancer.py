"""Load balancers that listen: which target answers, and DescribeTargetHealth."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from infra.laptop.free_ports import free_port
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack

LISTENER, TARGET_PORT = free_port(following=2), free_port(following=1)


class Backend:
    """A web server on its own address, which answers ``status`` after ``seconds``."""

    def __init__(self, address: str, port: int = TARGET_PORT) -> None:
        backend = self
        self.address, self.port, self.status, self.seconds, self.keeps_alive = address, port, 200, 0.0, True
        self.asked = threading.Event()  # a request that is no health check has come

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                if self.path != "/health":
                    backend.asked.set()
                    time.sleep(backend.seconds)
                body = f"{backend.address}:{backend.port}".encode()
                self.send_response(backend.status)
                self.send_header("Content-Length", str(len(body)))
                if not backend.keeps_alive:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Prints nothing."""

        self._server = ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def name(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def target(self) -> dict[str, Any]:
        return {"Id": self.address, "Port": self.port}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def backends() -> Iterator[Callable[..., Backend]]:
    made: list[Backend] = []

    def make(address: str, port: int = TARGET_PORT) -> Backend:
        made.append(Backend(address, port))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture(scope="module")
def elb(cloud: Cloud) -> Any:
    return cloud.client("elbv2")


@pytest.fixture(scope="module")
def network(cloud: Cloud) -> dict[str, Any]:
    ec2 = cloud.client("ec2")
    return {
        "vpc": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "subnets": [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"][:2]],
    }


@pytest.fixture(scope="module")
def balancer(elb: Any, network: dict[str, Any]) -> str:
    made = elb.create_load_balancer(Name="balancer", Subnets=network["subnets"])["LoadBalancers"][0]
    assert made["DNSName"] == "127.0.0.1" and made["State"]["Code"] == "active"
    return made["LoadBalancerArn"]


@pytest.fixture
def group(elb: Any, balancer: str, network: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[str]:
    """A target group to which a listener forwards, with a deregistration delay of one second; both are removed."""
    made = elb.create_target_group(
        Name=request.node.name.replace("_", "-")[-30:].strip("-"),
        Protocol="HTTP",
        Port=TARGET_PORT,
        VpcId=network["vpc"],
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    drain_for(elb, made, 1)
    listener = listen(elb, balancer, {"Type": "forward", "TargetGroupArn": made})
    yield made
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=made)


def drain_for(elb: Any, group: str, seconds: int) -> None:
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])


def listen(elb: Any, balancer: str, action: dict[str, Any], port: int = LISTENER) -> str:
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[action])
    return made["Listeners"][0]["ListenerArn"]


def ask(path: str = "/", port: int = LISTENER) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def health(elb: Any, group: str) -> dict[str, str]:
    described = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {f"{t['Target']['Id']}:{t['Target']['Port']}": t["TargetHealth"]["State"] for t in described}


def serve(cloud: Cloud, elb: Any, group: str, *backends: Backend) -> None:
    """Registers the backends and waits until the load balancer sends requests to each."""
    elb.register_targets(TargetGroupArn=group, Targets=[b.target for b in backends])
    cloud.wait_until(lambda: all(health(elb, group)[b.name] == "healthy" for b in backends))
    cloud.wait_until(lambda: {ask()[1] for _ in range(8)} == {b.name for b in backends})


def test_requests_are_balanced_over_healthy_targets(
    cloud: Cloud, elb: Any, group: str, backends: Callable[..., Backend]
) -> None:
    serve(cloud, elb, group, backends("127.0.0.201"), backends("127.0.0.202"), backends("127.0.0.201", TARGET_PORT + 1))
    answers = [ask()[1] for _ in range(30)]
    assert {answers.count(name) for name in set(answers)} == {10}, "three targets, two of them on one address"


def test_no_healthy_target_is_503(elb: Any, group: str) -> None:
    assert ask()[0] == 503
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.203"}])
    assert health(elb, group) == {f"127.0.0.203:{TARGET_PORT}": "initial"}
    assert ask()[0] == 503


def test_an_unhealthy_target_gets_no_requests(
    cloud: Cloud, elb: Any, group: str, backends: Callable[..., Backend]
) -> None:
    good, bad = backends("127.0.0.201"), backends("127.0.0.202")
    bad.status = 500
    elb.register_targets(TargetGroupArn=group, Targets=[good.target, bad.target])
    cloud.wait_until(lambda: health(elb, group) == {good.name: "healthy", bad.name: "unhealthy"})
    assert {ask()[1] for _ in range(10)} == {good.name}
    described = elb.describe_target_health(TargetGroupArn=group, Targets=[bad.target])["TargetHealthDescriptions"]
    assert [(t["TargetHealth"]["Reason"], t["TargetHealth"]["Description"]) for t in described] == [
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]")
    ]


def test_another_target_is_tried_when_a_connection_is_refused(
    cloud: Cloud, elb: Any, group: str, backends: Callable[..., Backend]
) -> None:
    good, dying = backends("127.0.0.201"), Backend("127.0.0.202")
    dying.keeps_alive = False  # a dead process keeps no connection either
    serve(cloud, elb, group, good, dying)
    dying.close()
    assert {ask() for _ in range(10)} == {(200, good.name)}, "before any health check has noticed"


def test_a_draining_target_finishes_its_requests(
    cloud: Cloud, elb: Any, group: str, backends: Callable[..., Backend]
) -> None:
    slow = backends("127.0.0.201")
    drain_for(elb, group, 5)  # long enough that a busy machine still sees it
    serve(cloud, elb, group, slow)
    slow.seconds = 1.5
    slow.asked.clear()
    answers: list[tuple[int, str]] = []
    request = threading.Thread(target=lambda: answers.append(ask()))
    request.start()
    assert slow.asked.wait(60)
    other = backends("127.0.0.202")
    elb.register_targets(TargetGroupArn=group, Targets=[other.target])
    elb.deregister_targets(TargetGroupArn=group, Targets=[slow.target])
    assert health(elb, group)[slow.name] == "draining"
    cloud.wait_until(lambda: ask() == (200, other.name))
    assert {ask()[1] for _ in range(10)} == {other.name}
    request.join()
    assert answers == [(200, slow.name)]
    cloud.wait_until(lambda: slow.name not in health(elb, group))
    described = elb.describe_target_health(TargetGroupArn=group, Targets=[slow.target])["TargetHealthDescriptions"]
    assert described[0]["TargetHealth"]["State"] == "unused"


def test_a_target_of_an_unused_group_is_unused(
    elb: Any, network: dict[str, Any], backends: Callable[..., Backend]
) -> None:
    lonely = elb.create_target_group(
        Name="lonely", Protocol="HTTP", Port=TARGET_PORT, VpcId=network["vpc"], TargetType="ip"
    )
    arn = lonely["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[backends("127.0.0.204").target])
    assert set(health(elb, arn).values()) == {"unused"}


def test_a_change_of_one_listener_keeps_connections_of_another(
    cloud: Cloud, elb: Any, balancer: str, group: str, backends: Callable[..., Backend]
) -> None:
    serve(cloud, elb, group, backends("127.0.0.201"))
    action = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "418", "MessageBody": "tea", "ContentType": "text/plain"},
    }
    arn = listen(elb, balancer, action, LISTENER + 1)
    assert ask(port=LISTENER + 1) == (418, "tea") and ask()[0] == 200
    changed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "coffee"}}
    elb.modify_listener(ListenerArn=arn, DefaultActions=[changed])
    assert ask(port=LISTENER + 1) == (200, "coffee")
    elb.delete_listener(ListenerArn=arn)
    with pytest.raises(ConnectionError):
        ask(port=LISTENER + 1)
    assert ask()[0] == 200


def test_a_killed_caddy_is_restarted(cloud: Cloud, elb: Any, group: str, backends: Callable[..., Backend]) -> None:
    serve(cloud, elb, group, backends("127.0.0.201"))
    (caddy,) = [child for child in psutil.Process(cloud.process.pid).children() if "caddy" in child.name()]
    caddy.kill()
    caddy.wait(10)

    def answers() -> bool:
        try:
            return ask()[0] == 200
        except ConnectionError:
            return False

    cloud.wait_until(answers)


def test_a_listener_on_a_taken_port_is_an_error(elb: Any, balancer: str, group: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", LISTENER + 2))
        taken.listen()
        with pytest.raises(ClientError, match=f"127.0.0.1:{LISTENER + 2}.*in use"):
            listen(elb, balancer, {"Type": "forward", "TargetGroupArn": group}, LISTENER + 2)
    ports = {listener["Port"] for listener in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]}
    assert ports == {LISTENER} and ask()[0] == 503, "the other listener is not affected"


def test_a_health_check_is_modified(elb: Any, group: str) -> None:
    changed = elb.modify_target_group(
        TargetGroupArn=group, HealthCheckPath="/ready", Matcher={"HttpCode": "200-299"}, HealthCheckEnabled=True
    )
    described = changed["TargetGroups"][0]
    assert (described["HealthCheckPath"], described["Matcher"]["HttpCode"]) == ("/ready", "200-299")
    assert described["HealthyThresholdCount"] == 2, "a field that the request omits is kept"


@pytest.mark.parametrize(
    ("action", "arguments", "part"),
    [
        ("create_target_group", {"Name": "tcp", "Protocol": "TCP", "Port": 1, "TargetType": "ip"}, "Protocol HTTP"),
        ("create_load_balancer", {"Name": "net", "Type": "network"}, "only application load balancers"),
    ],
)
def test_unsupported_settings_are_refused(
    elb: Any, network: dict[str, Any], action: str, arguments: dict[str, Any], part: str
) -> None:
    extra = (
        {"VpcId": network["vpc"]}
        if action == "create_target_group"
        else {"Subnets": network["subnets"]}
        if "Name" in arguments
        else {}
    )
    with pytest.raises(ClientError, match=part):
        getattr(elb, action)(**arguments, **extra)
