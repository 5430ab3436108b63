"""Entries of DescribeTargetHealth's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.elbv2.models import FakeTargetGroup

from infra.localcloud.elb.targets import RegisteredTarget


def registered(target: RegisteredTarget, group: FakeTargetGroup, *, attached: bool) -> dict[str, Any]:
    """A registered target. It is ``unused`` while no listener forwards to its group."""
    health = {"State": target.state, "Reason": target.reason or None, "Description": target.description or None}
    if not attached and target.state != "draining":
        text = "Target group is not used by a listener"
        health = {"State": "unused", "Reason": "Target.NotInUse", "Description": text}
    return _entry(target.address, target.port, group, health)


def not_registered(address: str, port: int, group: FakeTargetGroup) -> dict[str, Any]:
    """A target that the request names and the group does not have."""
    text = "Target is not registered to the target group"
    health = {"State": "unused", "Reason": "Target.NotRegistered", "Description": text}
    return _entry(address, port, group, health)


def _entry(address: str, port: int, group: FakeTargetGroup, health: Mapping[str, str | None]) -> dict[str, Any]:
    check_port = group.health_check_port
    shown = str(port) if check_port in (None, "traffic-port") else str(check_port)
    return {"Target": {"Id": address, "Port": port}, "HealthCheckPort": shown, "TargetHealth": health}
