"""Metrics that the services of AWS put by themselves, as far as they can be measured here: once a minute.

ECS: CPU and memory of services (on Linux), and with Container Insights the desired and running tasks. Load balancers:
healthy and unhealthy targets, and requests for each target. Kinesis: the age of what was read. Firehose: the age of
what could not be delivered. SQS: visible messages. EventBridge counts the matches of its rules itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.base_backend import BackendDict
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.firehose.models import firehose_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from infra.localcloud.cloudwatch.data import Datum, metric_key
from infra.localcloud.cloudwatch.processes import Usage, by_group
from infra.localcloud.install import Context

_SECONDS = 60.0
_CPU_UNITS = 1024  # of one virtual CPU
_MIB = 1 << 20
_INSIGHTS = ("enabled", "enhanced")


class ServiceMetrics:
    """Measures the services of one account and region.

    Args:
        context: The server's context.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._region = context.config.account, context.config.region
        self._before: Mapping[int, Usage] = {}
        self._started = False

    def step(self) -> float:
        """Measures; returns the seconds until the last moments of the next minute."""
        if self._started:
            self._measure()
        self._started = True
        return _SECONDS - (time.time() + _SECONDS / 10) % _SECONDS

    def measured(self, now: float) -> list[Datum]:
        """The metrics of the minute that ends."""
        return [*self._ecs(now), *self._balancers(now), *self._streams(now)]

    def _measure(self) -> None:
        if data := self.measured(time.time()):
            backend: Any = cloudwatch_backends[self._account][self._region]
            backend.add(data)
            self._context.state.soon(backend)

    def _backend(self, backends: BackendDict[Any]) -> Any:
        """The backend of a service; None if nothing has used it."""
        return backends[self._account].get(self._region) if self._account in backends else None

    # --- ECS ---

    def _ecs(self, now: float) -> Iterator[Datum]:
        backend = self._backend(ecs_backends)
        services = list(backend.services.values()) if backend else []
        usage = by_group() if services else {}
        for service in services:
            named = {"ClusterName": service.cluster.name, "ServiceName": service.name}
            running = [task for task in list(service.tasks) if task.last_status == "RUNNING"]
            insights = {one["name"]: one["value"] for one in service.cluster.settings or ()}
            if insights.get("containerInsights") in _INSIGHTS:
                yield _datum("ECS/ContainerInsights", "DesiredTaskCount", named, now, "Count", service.desired_count)
                yield _datum("ECS/ContainerInsights", "RunningTaskCount", named, now, "Count", len(running))
            for task in running:
                yield from self._task(task, named, usage, now)
        self._before = usage

    def _task(self, task: Any, named: Mapping[str, str], usage: Mapping[int, Usage], now: float) -> Iterator[Datum]:
        pids = [container.job.pid for container in task.containers if container.job]
        known = [pid for pid in pids if pid in usage]
        if not known:
            return
        memory = sum(usage[pid].memory for pid in known) / (int(task.definition.memory) * _MIB)
        yield _datum("AWS/ECS", "MemoryUtilization", named, now, "Percent", 100 * memory)
        before = [pid for pid in known if pid in self._before]
        if before:
            seconds = sum(usage[pid].seconds - self._before[pid].seconds for pid in before)
            elapsed = usage[before[0]].measured - self._before[before[0]].measured
            cpu = seconds / elapsed / (int(task.definition.cpu) / _CPU_UNITS)
            yield _datum("AWS/ECS", "CPUUtilization", named, now, "Percent", 100 * max(0.0, cpu))

    # --- load balancers and streams ---

    def _balancers(self, now: float) -> Iterator[Datum]:
        backend = self._backend(elbv2_backends)
        counts = backend.take_request_counts() if backend else {}
        for group in list(backend.target_groups.values()) if backend else ():
            states = [target.state for target in backend.targets.targets(group.arn)]
            most = backend.targets.take_most_unhealthy(group.arn)
            for balancer in group.load_balancer_arns if states or most else ():
                named = {
                    "LoadBalancer": balancer.partition(":loadbalancer/")[2],
                    "TargetGroup": group.arn.rpartition(":")[2],
                }
                healthy, unhealthy = states.count("healthy"), states.count("unhealthy")
                yield _datum("AWS/ApplicationELB", "HealthyHostCount", named, now, "Count", healthy)
                yield _datum("AWS/ApplicationELB", "UnHealthyHostCount", named, now, "Count", unhealthy, most)
                requests = counts.get(group.arn, 0.0) / max(1, healthy)
                yield _datum("AWS/ApplicationELB", "RequestCountPerTarget", named, now, "Count", requests)

    def _streams(self, now: float) -> Iterator[Datum]:
        if kinesis := self._backend(kinesis_backends):
            for stream, age in kinesis.take_iterator_ages().items():
                named = {"StreamName": stream}
                yield _datum("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", named, now, "Milliseconds", age)
        if firehose := self._backend(firehose_backends):
            for stream, age in firehose.take_freshness(now).items():
                named = {"DeliveryStreamName": stream}
                yield _datum("AWS/Firehose", "DeliveryToS3.DataFreshness", named, now, "Seconds", age)
        if sqs := self._backend(sqs_backends):
            for name, queue in list(sqs.queues.items()):
                visible = queue.approximate_number_of_messages
                yield _datum(
                    "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, now, "Count", visible
                )


def _datum(namespace: str, name: str, dimensions: Mapping[str, str], now: float, unit: str, *values: float) -> Datum:
    listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    return Datum(metric_key(namespace, name, listed), now, unit, tuple(map(float, values)), (1.0,) * len(values))
