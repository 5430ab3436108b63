"""The security group that CloudFront makes in a VPC together with its first VPC origin there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

NAME = "CloudFront-VPCOrigins-Service-SG"


def create(load_balancer: str) -> None:
    """Makes the group in the load balancer's VPC, unless it is there."""
    vpc, backend = _vpc(load_balancer)
    if vpc and not backend.get_security_group_from_name(NAME, vpc):
        backend.create_security_group(NAME, "Traffic of CloudFront's VPC origins", vpc)


def delete(load_balancer: str, others: Iterable[str]) -> None:
    """Deletes the group, unless another origin is in the same VPC."""
    vpc, backend = _vpc(load_balancer)
    if vpc and vpc not in {_vpc(other)[0] for other in others}:
        group = backend.get_security_group_from_name(NAME, vpc)
        if group:
            backend.delete_security_group(group_id=group.id)


def _vpc(load_balancer: str) -> tuple[str | None, Any]:
    """The VPC of a load balancer, and its EC2 backend; no VPC for what is not there."""
    region, account = load_balancer.split(":")[3:5]
    found = elbv2_backends[account][region].load_balancers.get(load_balancer)
    return (found.vpc_id if found else None), ec2_backends[account][region]
