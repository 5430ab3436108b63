"""Which actions of IAM the local cloud answers, by its tables of operations and of what an operation asks for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from infra.localcloud.authorization import catalog
from infra.localcloud.operations.table import service_table, services

_IAM_NAMES = {"monitoring": "cloudwatch"}  # signing name → name in policies, where they differ


@cache
def answered_actions() -> frozenset[str]:
    """The IAM actions of all operations that the local cloud executes, or whose state it keeps; in lower case."""
    return frozenset(
        action.lower()
        for name, service in services().items()
        if service.refused is None
        for operation, line in service_table(name).operations.items()
        if line.kind != "refused"
        for action in _actions(_IAM_NAMES.get(service.signing_name, service.signing_name), operation)
    )


def _actions(prefix: str, operation: str) -> Iterator[str]:
    if prefix == "s3":
        for asked in _s3_actions().get(operation, {"": operation}).values():
            yield from (f"s3:{action}" for action in ([asked] if isinstance(asked, str) else asked))
        return
    data = catalog.load(prefix)
    name = data.rename.get(operation, operation)
    for entry in data.actions.get(operation) or data.actions.get(name) or (catalog.Asked("", None),):
        yield f"{prefix}:{entry.action or name}"
    yield from (f"{prefix}:{action}" for action in data.tag_on_create)
    if data.pass_role:
        yield "iam:PassRole"


@cache
def _s3_actions() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((catalog.FOLDER / "s3-actions.yaml").read_text())["actions"]
    return found
