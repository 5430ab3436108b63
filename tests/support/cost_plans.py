"""Plans in the form of ``terraform show -json``, small, for the tests of ``make cost``."""

from __future__ import annotations

from typing import Any


def resource(address: str, kind: str, **values: Any) -> dict[str, Any]:
    """A planned resource."""
    return {"address": address, "mode": "managed", "type": kind, "name": "this", "values": values}


def plan(*resources: dict[str, Any], module: str = "serving") -> dict[str, Any]:
    """A plan whose resources are in one module."""
    child = {"address": f"module.{module}", "resources": list(resources)}
    return {"planned_values": {"root_module": {"child_modules": [child]}}}


def tasks(workload: str, cpu: str = "1024") -> dict[str, Any]:
    """The task definition of a workload's service."""
    address = f'module.serving.aws_ecs_task_definition.template["{workload}"]'
    return resource(address, "aws_ecs_task_definition", cpu=cpu, memory="2048", tags={"workload": workload})
