"""Serving: the cluster, template task definitions, load balancers, services, and the parameter with the URL.

The load balancer listens on a port of the laptop; on AWS it is 443. A service starts without tasks: the first deploy
sets its task definition and the number of tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from include.lake import layout
from include.settings import Settings
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.jobs import create_log_group
from infra.laptop.config import REGION
from infra.laptop.ports import HOST

CONTAINER = "service"
CONTAINER_PORT = 8080
DRAIN_SECONDS = 3
METRICS_NAMESPACE = "Nightjar/Serving"


@dataclass(frozen=True)
class Network:
    """The network of load balancers and tasks."""

    vpc: str
    subnets: tuple[str, ...]
    security_group: str


def create_shared(aws: Aws, settings: Settings) -> Network:
    """Creates the cluster and returns the default VPC's network."""
    clusters = aws.ecs.describe_clusters(clusters=[settings.ecs_cluster])["clusters"]
    if not any(cluster["status"] == "ACTIVE" for cluster in clusters):
        aws.ecs.create_cluster(clusterName=settings.ecs_cluster)
    vpc = aws.ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = [subnet["SubnetId"] for subnet in aws.ec2.describe_subnets(Filters=here)["Subnets"]]
    default = aws.ec2.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    return Network(vpc, tuple(sorted(subnets)[:2]), default["SecurityGroups"][0]["GroupId"])


def listening(aws: Aws) -> dict[str, int]:
    """Returns the port of each workload's load balancer, in order of the ports; of two on one port, the older first."""
    return {name: listener["Port"] for name, listener in sorted(_listeners(aws), key=lambda found: found[1]["Port"])}


def move_listeners(aws: Aws, ports: dict[str, int]) -> None:
    """Makes the load balancers that exist listen on these ports, also those of workloads that are not loaded.

    Args:
        aws: The clients.
        ports: Name of the workload → port.
    """
    moves = [
        (ports[name], listener, name)
        for name, listener in _listeners(aws)
        if name in ports and listener["Port"] != ports[name]
    ]
    # All share one address: none may move to a port before the one that listens there has left it.
    upwards = any(port > listener["Port"] for port, listener, _ in moves)
    for port, listener, name in sorted(moves, key=lambda move: move[0], reverse=upwards):
        aws.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], Port=port)
        _put_url(aws, name, port)


def _listeners(aws: Aws) -> list[tuple[str, dict[str, Any]]]:
    """The workload and the listener of each load balancer of a service, the oldest first."""
    found = []
    prefix = layout.service_name("")
    balancers = aws.elbv2.describe_load_balancers()["LoadBalancers"]
    for balancer in sorted(balancers, key=lambda balancer: balancer["CreatedTime"]):
        listeners = aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        if balancer["LoadBalancerName"].startswith(prefix) and listeners:
            found.append((balancer["LoadBalancerName"].removeprefix(prefix), listeners[0]))
    return found


def create(aws: Aws, settings: Settings, network: Network, workload: Workload, roles: dict[str, str], port: int) -> str:
    """Creates what the workload's service needs; returns the URL of its load balancer, which listens on ``port``."""
    name = layout.service_name(workload.name)
    create_log_group(aws, f"/ecs/{name}")
    group = _load_balancer(aws, network, name, port)
    url = _put_url(aws, workload.name, port)
    _template(aws, settings, workload, roles)
    _service(aws, settings, network, name, layout.template_family(workload.name), group)
    return url


def _put_url(aws: Aws, workload: str, port: int) -> str:
    url = f"http://{HOST}:{port}"
    aws.ssm.put_parameter(Name=layout.service_url_parameter(workload), Value=url, Type="String", Overwrite=True)
    return url


def _load_balancer(aws: Aws, network: Network, name: str, port: int) -> str:
    """Returns the ARN of the load balancer's target group; an existing one listens already."""
    present = aws.elbv2.describe_load_balancers()["LoadBalancers"]
    found = [balancer["LoadBalancerArn"] for balancer in present if balancer["LoadBalancerName"] == name]
    if found:
        listener = aws.elbv2.describe_listeners(LoadBalancerArn=found[0])["Listeners"][0]
        return str(listener["DefaultActions"][0]["TargetGroupArn"])
    balancer = aws.elbv2.create_load_balancer(
        Name=name,
        Subnets=list(network.subnets),
        SecurityGroups=[network.security_group],
        Scheme="internal",
        Type="application",
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = aws.elbv2.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=CONTAINER_PORT,
        VpcId=network.vpc,
        TargetType="ip",
        HealthCheckPath="/ready",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    # A rollout is complete when the old tasks have drained. The default of 300 s is for connections far longer than a
    # prediction.
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(DRAIN_SECONDS)}
    aws.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    aws.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward)
    return str(group)


def _template(aws: Aws, settings: Settings, workload: Workload, roles: dict[str, str]) -> None:
    family = layout.template_family(workload.name)
    service = layout.service_name(workload.name)
    definition: dict[str, Any] = {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(workload.serving.cpu),
        "memory": str(workload.serving.memory),
        "taskRoleArn": roles["ecs-task"],
        "executionRoleArn": roles["ecs-execution"],
        "containerDefinitions": [
            {
                "name": CONTAINER,
                "image": settings.serving_image,
                "essential": True,
                "portMappings": [{"containerPort": CONTAINER_PORT, "protocol": "tcp"}],
                "environment": container_environment(workload),
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": f"/ecs/{service}",
                        "awslogs-region": REGION,
                        "awslogs-stream-prefix": CONTAINER,
                    },
                },
            }
        ],
    }
    families = aws.ecs.list_task_definition_families(familyPrefix=family)["families"]
    if family in families:
        current = aws.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        same = all(current.get(field) == definition[field] for field in ("cpu", "memory", "taskRoleArn"))
        containers = current["containerDefinitions"], definition["containerDefinitions"]
        if same and containers[0][0]["environment"] == containers[1][0]["environment"]:
            return
    aws.ecs.register_task_definition(**definition)


def container_environment(workload: Workload) -> list[dict[str, str]]:
    """Returns the environment of the service's container, in the form of a task definition."""
    values = {
        "WORKLOAD": workload.name,
        "PORT": str(CONTAINER_PORT),
        "WORKERS": str(max(1, workload.serving.cpu // 1024)),  # 1024 CPU units are one vCPU
        "PREDICTION_LOG": f"firehose://{layout.prediction_stream(workload.name)}",
        "METRICS_NAMESPACE": METRICS_NAMESPACE,
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _service(aws: Aws, settings: Settings, network: Network, name: str, family: str, target_group: str) -> None:
    described = aws.ecs.describe_services(cluster=settings.ecs_cluster, services=[name])["services"]
    if any(service["status"] == "ACTIVE" for service in described):
        return
    aws.ecs.create_service(
        cluster=settings.ecs_cluster,
        serviceName=name,
        taskDefinition=family,
        desiredCount=0,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": target_group, "containerName": CONTAINER, "containerPort": CONTAINER_PORT}],
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(network.subnets),
                "securityGroups": [network.security_group],
                "assignPublicIp": "DISABLED",
            }
        },
        deploymentConfiguration={
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        healthCheckGracePeriodSeconds=60,
    )
