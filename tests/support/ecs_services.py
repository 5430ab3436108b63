"""What tests of ECS services share: a load balancer with a target group, and what ECS says of a service."""

from __future__ import annotations

from typing import Any

from tests.support.localcloud import Cloud

CLUSTER = "test"


def balance(cloud: Cloud, name: str, listener: int, container_port: int, drain_seconds: int) -> str:
    """A load balancer on 127.0.0.1 at port ``listener`` with a quick health check; its target group's ARN."""
    ec2, elb = cloud.client("ec2"), cloud.client("elbv2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"][:2]]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=container_port, VpcId=vpc, TargetType="ip", HealthCheckPath="/ready",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(drain_seconds)}]
    )
    balancer = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=listener,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )  # fmt: skip
    return group


def described(ecs: Any, name: str) -> dict[str, Any]:
    return ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]


def completed(ecs: Any, name: str) -> dict[str, Any] | None:
    """The PRIMARY deployment, once it is the only one and runs all that is wanted."""
    service = described(ecs, name)
    primary = service["deployments"][0]
    done = primary["rolloutState"] == "COMPLETED" and service["runningCount"] == service["desiredCount"]
    return primary if done and len(service["deployments"]) == 1 else None


def tasks_of(ecs: Any, name: str) -> list[dict[str, Any]]:
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=name)["taskArns"]
    return ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []


def last_rollout(ecs: Any, name: str) -> dict[str, Any]:
    """The newest service deployment, with its verdict."""
    brief = ecs.list_service_deployments(cluster=CLUSTER, service=name)["serviceDeployments"][0]
    return ecs.describe_service_deployments(serviceDeploymentArns=[brief["serviceDeploymentArn"]])[
        "serviceDeployments"
    ][0]
