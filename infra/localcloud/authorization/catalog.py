"""The files of ``data/``: where the requests of a service name their resources. See data/README.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "data"
# The alternatives of each part of an ARN: member paths, `=text` and `@lookup`.
Parts = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Asked:
    """One IAM action that an API action needs.

    Attributes:
        action: The name without the service; empty for the API action's own.
        resources: The parts of each resource type's ARN; None for what ``resources`` of the service says.
    """

    action: str
    resources: Mapping[str, Parts] | None


@dataclass(frozen=True)
class ConditionKey:
    """The members that hold the values of a condition key; ``arn`` makes an ARN of that resource type of a name."""

    members: tuple[str, ...]
    arn: str = ""


@dataclass(frozen=True)
class ServiceData:
    """One file."""

    known: bool = False
    resources: Mapping[str, Parts] = field(default_factory=dict)
    actions: Mapping[str, tuple[Asked, ...]] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    arns: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    tag_on_create: Mapping[str, str] = field(default_factory=dict)
    pass_role: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, ConditionKey] = field(default_factory=dict)


@cache
def load(prefix: str) -> ServiceData:
    """Reads the file of a service; a service without one has empty data."""
    file = FOLDER / f"{prefix}.yaml"
    if not file.is_file():
        return ServiceData()
    values: dict[str, Any] = yaml.safe_load(file.read_text())
    return ServiceData(
        known=True,
        resources={kind: _parts(parts) for kind, parts in values.get("resources", {}).items()},
        actions={name: _asked(entry) for name, entry in values.get("actions", {}).items()},
        rename=values.get("rename", {}),
        arns=values.get("arns", {}),
        instead=values.get("instead", {}),
        tag_on_create=values.get("tag_on_create", {}),
        pass_role={service: tuple(paths) for service, paths in values.get("pass_role", {}).items()},
        conditions={
            key: ConditionKey(tuple(entry["members"]), entry.get("arn", ""))
            for key, entry in values.get("conditions", {}).items()
        },
    )


def _parts(parts: list[list[str]]) -> Parts:
    return tuple(tuple(alternatives) for alternatives in parts)


def _asked(entry: Any) -> tuple[Asked, ...]:
    if isinstance(entry, dict):
        return (Asked("", {kind: _parts(parts) for kind, parts in entry.items()}),)
    return tuple(
        Asked(item["as"], {kind: _parts(parts) for kind, parts in item.items() if kind != "as"}) for item in entry
    )
