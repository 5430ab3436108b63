"""CloudWatch alarms of ``infra/definitions/alarms.yaml``: those whose metrics the laptop has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from include.lake import resources
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.data import ALERTS_TOPIC_ARN
from infra.laptop.bootstrap.definitions import definition

RUNBOOKS = "docs/runbooks"
MAX_TASKS = 4  # the most that autoscaling makes of a workload's tasks on the laptop
# What a definition says about an alarm, and CloudWatch does not know.
_ABOUT = ("per", "only", "metric_of", "part_of")

Definition = dict[str, Any]


class Alarms(NamedTuple):
    """The definitions of a workload's alarms and of the platform's, by the name of their page.

    Attributes:
        metric: Alarms on metrics.
        composite: Alarms on other alarms.
    """

    metric: Mapping[str, Definition]
    composite: Mapping[str, Definition]


class Dimensions(NamedTuple):
    """The load balancer and the target group of a workload, as dimensions of a metric name them."""

    load_balancer: str = ""
    target_group: str = ""


def dimensions(aws: Aws, workload: str) -> Dimensions:
    """Those of a workload whose service exists."""
    (group,) = aws.elbv2.describe_target_groups(Names=[resources.service_name(workload)])["TargetGroups"]
    (balancer,) = group["LoadBalancerArns"]
    return Dimensions(balancer.split(":loadbalancer/")[1], group["TargetGroupArn"].rsplit(":", 1)[1])


def read(workload: str, stream: str, named: Dimensions, max_tasks: int = MAX_TASKS) -> Alarms:
    """The alarms of the file for a workload, those of the platform and those that only AWS has among them."""
    found = definition(
        "alarms",
        topic=ALERTS_TOPIC_ARN,
        runbooks=RUNBOOKS,
        workload=workload,
        stream=stream,
        load_balancer=named.load_balancer,
        target_group=named.target_group,
        max_tasks=str(max_tasks),
    )
    return Alarms(found["alarms"], found["composites"])


def request(alarm: Definition) -> Definition:
    """An alarm as PutMetricAlarm and PutCompositeAlarm take it."""
    return {name: value for name, value in alarm.items() if name not in _ABOUT}


def create(aws: Aws, workload: Workload, named: Dimensions) -> None:
    """Creates a workload's alarms, or updates them."""
    found = read(workload.name, workload.stream.name, named)
    _put(aws, found.metric, "workload")
    for composite in found.composite.values():
        aws.cloudwatch.put_composite_alarm(**request(composite))


def create_shared(aws: Aws) -> None:
    """Creates the alarms of the platform, or updates them."""
    _put(aws, read("", "", Dimensions()).metric, "platform")


def _put(aws: Aws, alarms: Mapping[str, Definition], per: str) -> None:
    for alarm in alarms.values():
        if alarm["per"] == per and alarm.get("only") != "aws":
            aws.cloudwatch.put_metric_alarm(**request(alarm))
