"""What a statement of a role's policy may say, by AWS's reference of actions, resources and condition keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from infra.localcloud.authorization import tables

_ANY_KEY = re.compile(r":key/[^/]*\*")
# Who administers keys calls KMS; who uses them does so through another service.
_KEY_USES = {
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom", "kms:ReEncryptTo",
}  # fmt: skip
# Conditions that leave few keys of an account.
_OF_KEYS = {"aws:RequestTag/project", "aws:ResourceTag/project", "kms:ResourceAliases"}


def listed(value: Any) -> list[Any]:
    """The values of an element that may be one value or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def problems(statement: Mapping[str, Any]) -> list[str]:
    """What is wrong with a statement; one that denies may say anything."""
    return [] if statement["Effect"] == "Deny" else list(_problems(statement))


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
        if prefix == "kms":
            yield from (f"{sid}: {problem}" for problem in _key_problems(name, resources, set(conditions)))


def _key_problems(name: str, resources: list[str], conditions: set[str]) -> Iterator[str]:
    if name in _KEY_USES and "kms:ViaService" not in conditions:
        yield f"{name} needs the condition kms:ViaService"
    if any(_ANY_KEY.search(resource) for resource in resources) and not _OF_KEYS & conditions:
        yield f"{name} needs a key, or a condition on its alias or its tag project"


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
    """Whether a pattern of ARNs has one of a format such as ``arn:${Partition}:sns:…:${TopicName}``."""
    if form.endswith(":s3:::${BucketName}") and "/" in resource:
        return False  # an object's ARN; the formats alone do not tell them apart
    # A wildcard before the last part of an ARN spans no colon.
    pairs = zip(resource.split(":", 5), re.sub(r"\$\{[^}]*\}", "*", form).split(":", 5), strict=True)
    return all(_overlap(left, right) for left, right in pairs)


@cache
def _overlap(left: str, right: str) -> bool:
    """Whether a text matches both patterns, in which ``*`` is any text."""
    if not left or not right:
        return not (left + right).strip("*")
    if left[0] == "*":
        return _overlap(left[1:], right) or _overlap(left, right[1:])
    if right[0] == "*":
        return _overlap(left, right[1:]) or _overlap(left[1:], right)
    return left[0] == right[0] and _overlap(left[1:], right[1:])
