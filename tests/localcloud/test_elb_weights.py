"""A listener splits its requests between target groups by weight, and each group's answers are metrics."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.laptop.free_ports import free_port
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack

PORT = free_port()
METRIC_SECONDS = 90


class Target:
    """A web server on an address of its own, which answers with its name."""

    def __init__(self, address: str) -> None:
        target = self
        self.address, self.status, self.seconds = address, 200, 0.0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                checked = self.path == "/health"
                time.sleep(0 if checked else target.seconds)
                self.send_response(200 if checked else target.status)
                self.send_header("Content-Length", str(len(target.address)))
                self.end_headers()
                self.wfile.write(target.address.encode())

            def log_message(self, *arguments: Any) -> None:
                """Prints nothing."""

        self._server = ThreadingHTTPServer((address, PORT), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Split:
    """Two target groups behind one listener, the old one and the new one, each with a target.

    Attributes:
        longest_seconds: How long a caller has waited for an answer at most.
    """

    longest_seconds = 0.0

    def __init__(self, cloud: Cloud) -> None:
        self.elb, self._metrics = cloud.client("elbv2"), cloud.client("cloudwatch")
        ec2 = cloud.client("ec2")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
        self.port, vpc = free_port(), ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        made = self.elb.create_load_balancer(Name="split", Subnets=subnets)["LoadBalancers"]
        self.balancer = made[0]["LoadBalancerArn"]
        self.groups = {name: self._group(name, vpc) for name in ("old", "new")}
        self.targets = {name: Target(address) for name, address in (("old", "127.0.7.1"), ("new", "127.0.7.2"))}
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=self.port, DefaultActions=self.action(1, 0)
        )["Listeners"][0]["ListenerArn"]
        for name, target in self.targets.items():
            registered = [{"Id": target.address, "Port": PORT}]
            self.elb.register_targets(TargetGroupArn=self.groups[name], Targets=registered)
            until(partial(self.is_healthy, name))

    def _group(self, name: str, vpc: str) -> str:
        made = self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=PORT, VpcId=vpc, TargetType="ip", HealthCheckPath="/health"
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def action(self, old: int, new: int, **options: Any) -> list[dict[str, Any]]:
        weighted = zip(self.groups.values(), (old, new), strict=True)
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weighted]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **options}}]

    def weigh(self, old: int, new: int) -> None:
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=self.action(old, new))

    def is_healthy(self, name: str) -> bool:
        return self.health(name) == ["healthy"]

    def health(self, name: str) -> list[str]:
        found = self.elb.describe_target_health(TargetGroupArn=self.groups[name])["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in found]

    def ask(self, requests: int, path: str = "/") -> Counter[str]:
        """How often each target answered, by its name, and what else came."""
        names = {target.address: name for name, target in self.targets.items()}
        connection, found = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), Counter[str]()
        for _ in range(requests):
            begun = time.monotonic()
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - begun)
            found[names.get(text, str(answer.status))] += 1
        connection.close()
        return found

    def metric(self, name: str, group: str, statistic: str, start: datetime) -> float | None:
        """A metric of a group over all that happened since a time."""
        dimensions = {"LoadBalancer": self.balancer.partition(":loadbalancer/")[2]}
        dimensions["TargetGroup"] = self.groups[group].rpartition(":")[2]
        extended = statistic.startswith(("p", "PR"))
        points = self._metrics.get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=start,
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=86_400,
            **({"ExtendedStatistics": [statistic]} if extended else {"Statistics": [statistic]}),
        )["Datapoints"]
        values = [point["ExtendedStatistics"][statistic] if extended else point[statistic] for point in points]
        return sum(values) if values else None

    def close(self) -> None:
        self.elb.delete_load_balancer(LoadBalancerArn=self.balancer)
        for name, target in self.targets.items():
            self.elb.delete_target_group(TargetGroupArn=self.groups[name])
            target.close()


def until(condition: Callable[[], bool], seconds: float = METRIC_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def split(cloud: Cloud) -> Iterator[Split]:
    made = Split(cloud)
    yield made
    made.close()


def test_the_weights_decide_and_a_change_counts_at_once(split: Split) -> None:
    assert split.ask(50) == {"old": 50}
    split.weigh(80, 20)
    found = split.ask(400)
    assert found["old"] + found["new"] == 400
    assert 40 <= found["new"] <= 120  # 80 expected, standard deviation 8
    split.weigh(0, 1)
    assert split.ask(50) == {"new": 50}
    split.weigh(0, 0)
    assert split.ask(2) == {"503": 2}


def test_rules_have_weights_too_and_both_groups_are_in_use(split: Split) -> None:
    condition = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/new/*"]}}]
    rule = split.elb.create_rule(
        ListenerArn=split.listener, Conditions=condition, Priority=1, Actions=split.action(1, 1)
    )["Rules"][0]
    assert {*split.ask(100, "/new/1")} == {"old", "new"}
    split.elb.modify_rule(RuleArn=rule["RuleArn"], Actions=split.action(1, 0))
    assert split.ask(50, "/new/1") == split.ask(50) == {"old": 50}
    (described,) = split.elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"]
    weights = [group["Weight"] for group in described["Actions"][0]["ForwardConfig"]["TargetGroups"]]
    assert weights == [1, 0]
    assert split.health("new") == ["healthy"]  # a group of weight 0 is checked, so it can get requests at once


def test_callers_that_stick_to_a_group_are_refused(split: Split) -> None:
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    with pytest.raises(ClientError, match="do not stick"):
        split.elb.modify_listener(ListenerArn=split.listener, DefaultActions=split.action(1, 1, **sticky))
    assert split.ask(20) == {"old": 20}


def test_each_groups_requests_codes_and_latency_are_metrics(split: Split) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    split.weigh(1, 0)
    split.ask(30)
    # A target's answer is never later for the load balancer than for the caller; the metric has three digits.
    longest = split.longest_seconds * 1.01
    split.targets["new"].status, split.targets["new"].seconds = 500, 0.05
    split.weigh(0, 1)
    split.ask(20)
    split.targets["new"].status = 404
    split.ask(1)
    until(lambda: split.metric("RequestCount", "new", "Sum", start) == 21)
    assert split.metric("RequestCount", "old", "Sum", start) == 30
    assert split.metric("HTTPCode_Target_5XX_Count", "new", "Sum", start) == 20
    assert split.metric("HTTPCode_Target_4XX_Count", "new", "Sum", start) == 1
    assert split.metric("HTTPCode_Target_2XX_Count", "old", "Sum", start) == 30
    assert split.metric("HTTPCode_Target_5XX_Count", "old", "Sum", start) is None
    slow, quick = (split.metric("TargetResponseTime", name, "p95", start) for name in ("new", "old"))
    assert slow is not None and quick is not None
    assert slow >= 0.05 and quick <= longest
    assert split.metric("TargetResponseTime", "new", "PR(0.04:)", start) == 100


def test_a_request_that_no_target_answers_is_a_connection_error(split: Split) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    split.weigh(0, 1)
    split.targets["new"].close()
    assert split.ask(1) == {"502": 1}
    until(lambda: split.metric("TargetConnectionErrorCount", "new", "Sum", start) == 1)
    assert split.metric("HTTPCode_Target_5XX_Count", "new", "Sum", start) is None
