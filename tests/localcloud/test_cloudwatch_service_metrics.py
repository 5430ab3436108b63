"""The metrics that services put by themselves, measured on backends that a test makes."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from infra.localcloud.cloudwatch import processes, service_metrics
from infra.localcloud.cloudwatch.processes import Usage

ACCOUNT, REGION = "123456789012", "us-east-1"
GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/flights/6d0e"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/nightjar/50dc"


def task(pid: int, status: str = "RUNNING") -> Any:
    return SimpleNamespace(
        last_status=status,
        containers=[SimpleNamespace(job=SimpleNamespace(pid=pid))],
        definition=SimpleNamespace(cpu="512", memory="1024"),
    )


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, dict[str, Any]]]:
    """Fakes of moto's backends by service; each has one backend."""
    cluster = SimpleNamespace(name="nightjar", settings=[{"name": "containerInsights", "value": "enabled"}])
    service = SimpleNamespace(
        name="flights", cluster=cluster, desired_count=3, tasks=[task(10), task(11), task(12, "PENDING")]
    )
    states = ["healthy", "unhealthy", "unhealthy", "draining"]
    targets = SimpleNamespace(
        targets=lambda arn: [SimpleNamespace(state=state) for state in states], take_most_unhealthy=lambda arn: 3
    )
    group = SimpleNamespace(arn=GROUP, load_balancer_arns=[BALANCER])
    made = {
        "ecs_backends": SimpleNamespace(services={"flights": service}),
        "elbv2_backends": SimpleNamespace(
            target_groups={GROUP: group}, targets=targets, take_request_counts=lambda: {GROUP: 600.0}
        ),
        "kinesis_backends": SimpleNamespace(take_iterator_ages=lambda: {"events": 1500}),
        "firehose_backends": SimpleNamespace(take_freshness=lambda now: {"predictions": 0.0, "late": 7.0}),
        "sqs_backends": SimpleNamespace(queues={"dead": SimpleNamespace(approximate_number_of_messages=2)}),
    }
    found = {name: {ACCOUNT: {REGION: backend}} for name, backend in made.items()}
    for name, fake in found.items():
        monkeypatch.setattr(service_metrics, name, fake)
    return found


def measuring() -> service_metrics.ServiceMetrics:
    context: Any = SimpleNamespace(config=SimpleNamespace(account=ACCOUNT, region=REGION))
    return service_metrics.ServiceMetrics(context)


def values(metrics: service_metrics.ServiceMetrics) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for datum in metrics.measured(60.0):
        found.setdefault(datum.metric.name, []).extend(datum.values)
    return found


def test_a_minute_of_services(backends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {10: Usage(100.0, 512 << 20, 0.0), 11: Usage(50.0, 256 << 20, 0.0)}
    monkeypatch.setattr(service_metrics, "by_group", lambda: usage)
    metrics = measuring()
    first = values(metrics)
    assert "CPUUtilization" not in first, "a rate needs two measurements"
    assert first["MemoryUtilization"] == [50.0, 25.0]
    assert (first["DesiredTaskCount"], first["RunningTaskCount"]) == ([3], [2])
    assert (first["HealthyHostCount"], first["UnHealthyHostCount"]) == ([1], [2, 3])
    assert first["RequestCountPerTarget"] == [600]
    assert (first["GetRecords.IteratorAgeMilliseconds"], first["DeliveryToS3.DataFreshness"]) == ([1500], [0, 7])
    assert first["ApproximateNumberOfMessagesVisible"] == [2]
    usage = {10: Usage(115.0, 0, 60.0), 11: Usage(50.0, 0, 60.0)}
    assert values(metrics)["CPUUtilization"] == [50.0, 0.0]


def test_the_dimensions_are_those_of_aws(backends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_metrics, "by_group", dict)
    dimensions = {datum.metric.name: dict(datum.metric.dimensions) for datum in measuring().measured(60.0)}
    assert dimensions["UnHealthyHostCount"] == {
        "LoadBalancer": "app/nightjar/50dc",
        "TargetGroup": "targetgroup/flights/6d0e",
    }
    assert dimensions["DesiredTaskCount"] == {"ClusterName": "nightjar", "ServiceName": "flights"}


def test_what_was_never_used_has_no_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ecs_backends", "elbv2_backends", "kinesis_backends", "firehose_backends", "sqs_backends"):
        monkeypatch.setattr(service_metrics, name, {})
    assert measuring().measured(60.0) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says what processes use")
def test_a_process_group_is_measured_with_its_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, process_group=0) as group:
        usage = processes.by_group()
        assert usage[group.pid].memory > 0 and usage[group.pid].seconds >= 0
        assert group.pid != os.getpgid(0)
        group.communicate(b"\n")
    assert group.pid not in processes.by_group()
