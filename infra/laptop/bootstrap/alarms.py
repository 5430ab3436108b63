"""CloudWatch alarms of ``infra/definitions/alarms.yaml``: those whose metrics the laptop has."""

from __future__ import annotations

from include.lake import layout
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.data import ALERTS_TOPIC_ARN
from infra.laptop.bootstrap.definitions import definition

RUNBOOKS = "docs/runbooks"
MAX_TASKS = 4  # a laptop does not scale; the alarm needs a number
# What a definition says about an alarm, and PutMetricAlarm does not know.
_ABOUT = ("per", "only", "metric_of")


def create(aws: Aws, workload: Workload) -> None:
    """Creates a workload's alarms, or updates them."""
    balancer, group = _dimensions(aws, workload.name)
    defined = definition(
        "alarms",
        workload=workload.name,
        topic=ALERTS_TOPIC_ARN,
        runbooks=RUNBOOKS,
        stream=workload.stream.name,
        max_tasks=str(MAX_TASKS),
        load_balancer=balancer,
        target_group=group,
    )["alarms"]
    for alarm in defined.values():
        if alarm["per"] == "workload" and alarm.get("only") != "aws":
            aws.cloudwatch.put_metric_alarm(**{name: value for name, value in alarm.items() if name not in _ABOUT})


def _dimensions(aws: Aws, workload: str) -> tuple[str, str]:
    """The load balancer and the target group of a workload, as dimensions of a metric name them."""
    (group,) = aws.elbv2.describe_target_groups(Names=[layout.service_name(workload)])["TargetGroups"]
    (balancer,) = group["LoadBalancerArns"]
    return balancer.split(":loadbalancer/")[1], group["TargetGroupArn"].rsplit(":", 1)[1]
