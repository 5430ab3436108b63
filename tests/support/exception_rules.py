"""What an exception of ``infra/policies/exceptions.yaml`` may be for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from infra.laptop.iam.answered import answered_actions
from infra.laptop.iam.exceptions import GrantException
from infra.laptop.iam.grants import RoleKind
from infra.localcloud.authorization.usage import grants_of
from tests.support.policy_rules import listed

OF_THE_LAPTOP = "permissions"  # the document that the laptop gives to a role, too


def problems(exceptions: Iterable[GrantException], kinds: Iterable[RoleKind]) -> list[str]:
    """What is wrong with exceptions."""
    by_name = {kind.name: kind for kind in kinds}
    return [problem for exception in exceptions for problem in _problems(exception, by_name)]


def _problems(exception: GrantException, kinds: dict[str, RoleKind]) -> Iterator[str]:
    label = f"{exception.role}/{exception.statement}"
    kind = kinds.get(exception.role)
    statement = _statement(kind, exception.statement) if kind else None
    if kind is None or statement is None:
        yield f"{label}: there is no such statement"
        return
    document, content = statement
    granted = {grant.action for grant in grants_of("", [(document, {"Statement": [content]})])}
    for action in set(exception.actions) - granted:
        yield f"{label}: the statement does not grant {action}"
    if not kind.on_aws and document == OF_THE_LAPTOP:
        yield f"{label}: what {document}.json grants, the laptop's role has, and a run must use it"
    if exception.type == "service_makes_the_call":
        is_of_key = all(action.startswith("kms:") for action in exception.actions)
        callers = _services_of_key(content) if is_of_key else _trusted(kind)
        if exception.by not in callers:
            yield f"{label}: {exception.by} makes no call in its name; {', '.join(sorted(callers)) or 'none'} does"
    elif not (kind.on_aws and _trusted(kind)):
        for action in sorted(a for a in exception.actions if a.lower() in answered_actions()):
            yield f"{label}: the local cloud answers {action}, so a run can use it"


def _statement(kind: RoleKind, sid: str) -> tuple[str, dict[str, Any]] | None:
    for name, document in kind.documents().items():
        for statement in document["Statement"]:
            if statement["Sid"] == sid:
                return name, statement
    return None


def _trusted(kind: RoleKind) -> set[str]:
    """The services that may assume the role."""
    return set(listed(kind.trusted().get("Service")))


def _services_of_key(statement: dict[str, Any]) -> set[str]:
    """The services through which a statement lets a key be used."""
    names = listed(statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService"))
    return {f"{name.split('.')[0]}.amazonaws.com" for name in names}
