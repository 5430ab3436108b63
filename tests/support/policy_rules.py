"""What a statement of a role's policy may say, by AWS's reference of actions, resources and condition keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.localcloud.authorization import tables

_ANY_KEY = re.compile(r":key/[^/]*\*")


def listed(value: Any) -> list[Any]:
    """The values of an element that may be one value or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def problems(statement: Mapping[str, Any]) -> list[str]:
    """What is wrong with a statement that allows something."""
    return list(_problems(statement))


def _problems(statement: Mapping[str, Any]) -> Iterator[str]:
    sid = statement["Sid"]
    if {"NotAction", "NotResource", "NotPrincipal"} & set(statement):
        yield f"{sid}: NotAction, NotResource and NotPrincipal allow what nobody has thought of"
    conditions = {
        key: values for operator in statement.get("Condition", {}).values() for key, values in operator.items()
    }
    resources = listed(statement["Resource"])
    for name in listed(statement.get("Action")):
        prefix, _, operation = name.partition(":")
        action = tables.service(prefix).actions.get(operation.lower())
        if action is None:
            yield f"{sid}: {name} is no action of AWS's reference"
            continue
        yield from (f"{sid}: {problem}" for problem in _resource_problems(name, action, resources, conditions))
        if name == "iam:PassRole" and "iam:PassedToService" not in conditions:
            yield f"{sid}: iam:PassRole needs the condition iam:PassedToService"
        if prefix == "kms" and ("kms:ViaService" not in conditions or any(_ANY_KEY.search(r) for r in resources)):
            yield f"{sid}: {name} needs a key and the condition kms:ViaService"


def _resource_problems(
    name: str, action: tables.Action, resources: list[str], conditions: Mapping[str, Any]
) -> Iterator[str]:
    service = tables.service(name.partition(":")[0])
    formats = {kind: service.arns[kind] for kind in action.types if kind in service.arns}
    if "*" in resources:
        # A key of the service itself narrows an action whose resources nobody can name, as ecs:cluster does.
        own = {key.lower() for key in conditions} & {key for key in action.conditions if not key.startswith("aws:")}
        if formats and not own:
            yield f"{name} on *, although it takes {', '.join(formats)}"
        return
    if not formats:
        yield f"{name} takes no resource, so a grant on an ARN allows nothing"
        return
    if not any(_is_of(resource, form) for resource in resources for form in formats.values()):
        yield f"{name} takes {', '.join(formats)}, and no resource is one"


def _is_of(resource: str, form: str) -> bool:
    """Whether an ARN, perhaps with wildcards, may be one of a format such as ``arn:${Partition}:sns:…``."""
    if form.endswith(":s3:::${BucketName}") and "/" in resource:
        return False  # an object's ARN; the formats alone do not tell them apart
    return re.fullmatch("".join(_part(part) for part in re.split(r"(\$\{[^}]*\})", form)), resource) is not None


def _part(part: str) -> str:
    """A regular expression for a part of a format."""
    if not part.startswith("${"):
        return re.escape(part)
    return "[^:]*" if part in ("${Partition}", "${Region}", "${Account}") else ".+"
