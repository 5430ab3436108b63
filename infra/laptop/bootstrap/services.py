"""Serving: cluster and load balancer; target group, template task definition, service and URL of each workload.

All workloads share the load balancer. On AWS it has one HTTPS listener with a host name for each workload; on the
laptop it listens on a port for each, because a laptop has no DNS for such names. A service starts without tasks: the
first deploy sets its task definition and the number of tasks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from include.lake import resources
from include.settings import Settings
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import definition
from infra.laptop.bootstrap.jobs import create_log_group
from infra.laptop.free_ports import HOST

# Each deploy waits until the old tasks have drained. Here clients, load balancer and tasks are on one machine: after a
# tenth of a second the load balancer sends a drained task nothing any more, and the task answers what it has begun
# before it ends (its stopTimeout). On AWS the load balancer has several nodes and needs longer.
DRAIN_SECONDS = "1"


@dataclass(frozen=True)
class Network:
    """The network of the load balancer and the tasks."""

    vpc: str
    subnets: tuple[str, ...]
    security_group: str


def workload_definition(settings: Settings, workload: Workload) -> dict[str, Any]:
    """``service.yaml``, filled in for a workload."""
    serving = workload.serving
    found: dict[str, Any] = definition(
        "service",
        workload=workload.name,
        serving_image=settings.serving_image,
        cpu=str(serving.cpu),
        memory=str(serving.memory),
        workers=str(max(1, serving.cpu // 1024)),  # 1024 CPU units are one vCPU
    )
    return found


def create_shared(aws: Aws, settings: Settings) -> tuple[Network, str]:
    """Creates the cluster and the load balancer, in the default VPC.

    Returns:
        The network and the load balancer's ARN.
    """
    defined = definition("cluster")
    clusters = aws.ecs.describe_clusters(clusters=[settings.ecs_cluster])["clusters"]
    if not any(cluster["status"] == "ACTIVE" for cluster in clusters):
        aws.ecs.create_cluster(**defined["cluster"])
    vpc = aws.ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = [subnet["SubnetId"] for subnet in aws.ec2.describe_subnets(Filters=here)["Subnets"]]
    default = aws.ec2.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    network = Network(vpc, tuple(sorted(subnets)[:2]), default["SecurityGroups"][0]["GroupId"])
    return network, _load_balancer(aws, network, defined["load_balancer"])


def _load_balancer(aws: Aws, network: Network, defined: dict[str, Any]) -> str:
    attributes = _pairs(defined.pop("attributes"))
    found = [
        known for known in _balancers(aws) if known["LoadBalancerName"] == defined["Name"]
    ] or aws.elbv2.create_load_balancer(
        **defined, Subnets=list(network.subnets), SecurityGroups=[network.security_group]
    )["LoadBalancers"]
    arn = str(found[0]["LoadBalancerArn"])
    aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    return arn


def listening(aws: Aws) -> dict[str, int]:
    """Returns the port on which the load balancer listens for each workload, in order of the ports."""
    return dict(sorted(((name, listener["Port"]) for name, listener in _listeners(aws)), key=lambda found: found[1]))


def move_listeners(aws: Aws, ports: dict[str, int]) -> None:
    """Makes the listeners that exist listen on these ports, also those of workloads that are not loaded.

    Args:
        aws: The clients.
        ports: Name of the workload → port.
    """
    moves = [
        (ports[name], listener, name)
        for name, listener in _listeners(aws)
        if name in ports and listener["Port"] != ports[name]
    ]
    # None may move to a port before the one that listens there has left it.
    upwards = any(port > listener["Port"] for port, listener, _ in moves)
    for port, listener, name in sorted(moves, key=lambda move: move[0], reverse=upwards):
        aws.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], Port=port)
        _put_url(aws, name, port)


def _balancers(aws: Aws) -> list[dict[str, Any]]:
    return list(aws.elbv2.describe_load_balancers()["LoadBalancers"])


def _listeners(aws: Aws) -> list[tuple[str, dict[str, Any]]]:
    """Each workload's listener. The target group that it forwards to is named after the workload."""
    groups = {group["TargetGroupArn"]: group["TargetGroupName"] for group in _target_groups(aws)}
    prefix = resources.service_name("")
    return [
        (groups[arn].removeprefix(prefix), listener)
        for balancer in _balancers(aws)
        for listener in aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        for arn in _forwarded(listener)[:1]  # a second one is the canary's
        if groups.get(arn, "").startswith(prefix)
    ]


def _forwarded(listener: dict[str, Any]) -> list[str]:
    """ARNs of the target groups to which a listener forwards, in the order in which they were made."""
    found = []
    for action in listener["DefaultActions"]:
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        found += [group["TargetGroupArn"] for group in groups if "TargetGroupArn" in group]
    return found


def _target_groups(aws: Aws) -> list[dict[str, Any]]:
    return list(aws.elbv2.describe_target_groups()["TargetGroups"])


def create(aws: Aws, settings: Settings, network: Network, balancer: str, workload: Workload, port: int) -> str:
    """Creates what the workload's service needs; returns its URL, with the port on which the load balancer listens."""
    defined = workload_definition(settings, workload)
    create_log_group(aws, **defined["log_group"])
    target_group = _target_group(aws, network, dict(defined["target_group"]))
    if workload.name not in listening(aws):
        forward = [{"Type": "forward", "TargetGroupArn": target_group}]
        aws.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward)
    url = _put_url(aws, workload.name, port)
    _register_template(aws, defined["task_definition"])
    _create_service(aws, settings, network, defined, target_group)
    beside = {**defined, **{part: {**defined[part], **more} for part, more in defined["canary"].items()}}
    if workload.deploy.canary:
        second = _target_group(aws, network, dict(beside["target_group"]))
        _forward(aws, workload.name, target_group, second)
        _create_service(aws, settings, network, beside, second)
    else:
        _forward(aws, workload.name, target_group)
        _delete_service(aws, settings, beside["service"]["serviceName"])
    return url


def _forward(aws: Aws, workload: str, target_group: str, canary: str | None = None) -> None:
    """Makes the workload's listener forward to its target group, and to the canary's if there is one, by weight.

    A canary that has a share of the requests keeps it: the deploy that gave it one ends that.
    """
    listener = next(found for name, found in _listeners(aws) if name == workload)
    if set(_forwarded(listener)) == {target_group, *filter(None, [canary])}:
        return
    groups = [{"TargetGroupArn": target_group, "Weight": 100}]
    groups += [{"TargetGroupArn": canary, "Weight": 0}] if canary else []
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    aws.elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=actions)


def _delete_service(aws: Aws, settings: Settings, name: str) -> None:
    """Deletes a canary's service that the workload no longer has. Its target group stays: it is used by nothing."""
    found = aws.ecs.describe_services(cluster=settings.ecs_cluster, services=[name])["services"]
    if any(service["status"] == "ACTIVE" for service in found):
        aws.ecs.delete_service(cluster=settings.ecs_cluster, service=name, force=True)


def _put_url(aws: Aws, workload: str, port: int) -> str:
    url = f"http://{HOST}:{port}"
    aws.ssm.put_parameter(Name=resources.service_url_parameter(workload), Value=url, Type="String", Overwrite=True)
    return url


def _target_group(aws: Aws, network: Network, defined: dict[str, Any]) -> str:
    attributes = _pairs({**defined.pop("attributes"), "deregistration_delay.timeout_seconds": DRAIN_SECONDS})
    found = [group for group in _target_groups(aws) if group["TargetGroupName"] == defined["Name"]]
    found = found or aws.elbv2.create_target_group(**defined, VpcId=network.vpc)["TargetGroups"]
    arn = str(found[0]["TargetGroupArn"])
    aws.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    return arn


def _register_template(aws: Aws, defined: dict[str, Any]) -> None:
    """Registers the template task definition unless its newest revision says the same."""
    family = defined["family"]
    if family in aws.ecs.list_task_definition_families(familyPrefix=family)["families"]:
        current = aws.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        if _contains(current, defined):
            return
    aws.ecs.register_task_definition(**defined)


def _contains(answer: Any, asked: Any) -> bool:
    """Whether an answer of AWS has all that was asked for; AWS adds fields and defaults."""
    if isinstance(asked, dict):
        return isinstance(answer, dict) and all(_contains(answer.get(key), value) for key, value in asked.items())
    if isinstance(asked, list):
        return isinstance(answer, list) and len(answer) == len(asked) and all(map(_contains, answer, asked))
    return bool(answer == asked)


def _create_service(aws: Aws, settings: Settings, network: Network, defined: dict[str, Any], target_group: str) -> None:
    name = defined["service"]["serviceName"]
    described = aws.ecs.describe_services(cluster=settings.ecs_cluster, services=[name])["services"]
    if any(service["status"] == "ACTIVE" for service in described):
        return
    (container,) = defined["task_definition"]["containerDefinitions"]
    (port,) = container["portMappings"]
    aws.ecs.create_service(
        **defined["service"],
        cluster=settings.ecs_cluster,
        taskDefinition=defined["task_definition"]["family"],
        loadBalancers=[
            {
                "targetGroupArn": target_group,
                "containerName": container["name"],
                "containerPort": port["containerPort"],
            }
        ],
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": list(network.subnets),
                "securityGroups": [network.security_group],
                "assignPublicIp": "DISABLED",
            }
        },
    )


def _pairs(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in attributes.items()]
