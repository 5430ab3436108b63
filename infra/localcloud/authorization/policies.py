"""Policy documents, read once and kept by their text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from infra.localcloud.authorization.conditions import Condition
from infra.localcloud.authorization.conditions import parse as parse_conditions
from infra.localcloud.authorization.context import RequestContext
from infra.localcloud.authorization.patterns import Patterns

VARIABLES_SINCE = "2012-10-17"


@dataclass(frozen=True)
class Element:
    """Action or Resource of a statement, or its negation (NotAction, NotResource)."""

    patterns: Patterns
    negated: bool

    def matches(self, value: str, context: RequestContext) -> bool:
        """Whether the element applies to the value."""
        return self.patterns.matches(value, context.variable) != self.negated


@dataclass(frozen=True)
class Principals:
    """The Principal element of a statement (or NotPrincipal), by kind: AWS, Service, Federated, CanonicalUser."""

    values: Mapping[str, tuple[str, ...]]
    negated: bool


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        label: Its Sid, or its number from 1.
        principals: None in identity policies.
        resources: None in trust policies.
    """

    label: str
    allows: bool
    actions: Element
    resources: Element | None
    principals: Principals | None
    conditions: tuple[Condition, ...]


@lru_cache(maxsize=2048)
def parse(document: str) -> tuple[Statement, ...]:
    """Reads a policy document. A document that is no policy allows nothing."""
    try:
        values = json.loads(document if document.lstrip().startswith("{") else unquote(document))
    except ValueError:
        return ()
    if not isinstance(values, dict):
        return ()
    variables = values.get("Version", "") >= VARIABLES_SINCE
    return tuple(
        _statement(item, str(number), variables)
        for number, item in enumerate(_listed(values.get("Statement")), 1)
        if isinstance(item, dict)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _statement(item: Mapping[str, Any], number: str, variables: bool) -> Statement:
    return Statement(
        label=str(item.get("Sid") or number),
        allows=item.get("Effect") == "Allow",
        actions=_element(item, "Action", "caseless", variables=False)
        or Element(Patterns((), "caseless"), negated=False),
        resources=_element(item, "Resource", "resource", variables=variables),
        principals=_principals(item),
        conditions=parse_conditions(item.get("Condition")),
    )


def _element(item: Mapping[str, Any], name: str, kind: str, *, variables: bool) -> Element | None:
    for key, negated in ((name, False), (f"Not{name}", True)):
        if key in item:
            return Element(Patterns((str(value) for value in _listed(item[key])), kind, variables=variables), negated)
    return None


def _principals(item: Mapping[str, Any]) -> Principals | None:
    for key, negated in (("Principal", False), ("NotPrincipal", True)):
        value = item.get(key)
        if value == "*":
            return Principals({"AWS": ("*",)}, negated)
        if isinstance(value, dict):
            return Principals(
                {kind: tuple(str(name) for name in _listed(names)) for kind, names in value.items()}, negated
            )
    return None
