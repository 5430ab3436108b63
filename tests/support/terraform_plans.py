"""A plan of Terraform as the rules read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ADDED = ("orders", "tides")  # workloads that only the mocked plan has
WITH_CANARY = "trials"  # another one, whose deploys try a version on a share of the requests first


@dataclass(frozen=True)
class Resource:
    """A resource that a plan would make.

    Attributes:
        address: Terraform's address.
        module: The module of the root, for example ``network``; empty for the root's own.
        type: The type, for example ``aws_s3_bucket``.
        key: The key of ``for_each`` or the number of ``count``; None without them.
        values: The attributes that are known.
        unknown: The attributes that are set, but known only after the apply.
    """

    address: str
    module: str
    type: str
    key: str | int | None
    values: dict[str, Any]
    unknown: dict[str, Any]

    def is_set(self, path: str) -> bool:
        """Whether an attribute, ``block.0.name`` inside of blocks, is neither null, false nor empty."""
        return bool(self.value(path)) or bool(_walk(self.unknown, path))

    def value(self, path: str) -> Any:
        """The value of an attribute; None when it is not known."""
        return _walk(self.values, path)

    def statements(self, attribute: str = "policy") -> list[dict[str, Any]]:
        """The statements of a policy document; none while it is not known."""
        text = self.value(attribute)
        return list(json.loads(text)["Statement"]) if text else []


def _walk(value: Any, path: str) -> Any:
    for part in path.split("."):
        if value is True:  # all of it is unknown
            return True
        if isinstance(value, list):
            value = value[int(part)] if len(value) > int(part) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


class Plan:
    """The resources that a plan would make.

    Args:
        changes: ``resource_changes`` of Terraform's JSON form of a plan.
        outputs: Its ``output_changes``.

    Attributes:
        outputs: The root's outputs. In one that is an object, what is known only after the apply is null.
    """

    def __init__(self, changes: list[dict[str, Any]], outputs: dict[str, Any] | None = None) -> None:
        self.outputs = {name: _output(change) for name, change in (outputs or {}).items()}
        made = [change for change in changes if change["mode"] == "managed"]
        self.resources = [
            Resource(
                change["address"],
                _module(change.get("module_address", "")),
                change["type"],
                change.get("index"),
                change["change"]["after"],
                change["change"].get("after_unknown") or {},
            )
            for change in made
        ]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.type in types)


def hand_made(*resources: tuple[str, dict[str, Any]], module: str = "it") -> Plan:
    """A plan with resources of these types or addresses, and these attributes. A type alone is in ``module``."""
    changes = []
    for name, values in resources:
        address = name if "." in name else f"module.{module}.{name}.this"
        path, kind, instance = address.rsplit(".", 2)
        key = instance.partition("[")[2].strip('"]') or None
        change = {"after": values, "after_unknown": {}}
        changes.append(
            {
                "address": address,
                "module_address": path,
                "mode": "managed",
                "type": kind,
                "index": key,
                "change": change,
            }
        )
    return Plan(changes)


def _output(change: dict[str, Any]) -> Any:
    after, unknown = change.get("after"), change.get("after_unknown")
    return {**dict.fromkeys(unknown), **(after or {})} if isinstance(unknown, dict) else after


def _module(address: str) -> str:
    return address.split(".")[1].split("[")[0] if address else ""
