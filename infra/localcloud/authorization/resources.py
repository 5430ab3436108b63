"""The ARNs that a request is about, from its members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from infra.localcloud.authorization import lookups, members
from infra.localcloud.authorization.catalog import Parts, ServiceData
from infra.localcloud.authorization.tables import Service

_PART = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True)
class Scope:
    """Where a request is made: the region and account of the names in it, and its path."""

    region: str
    account: str
    path: str = ""


def arns(
    spec: Mapping[str, Parts], data: ServiceData, table: Service, values: members.Members, scope: Scope
) -> list[str]:
    """The ARNs of every resource type that the members name.

    Args:
        spec: The parts of each resource type.
        data: The file of the service.
        table: The service in the tables, for ARN formats.
        values: The members of the request.
        scope: Where the request is made.
    """
    found: dict[str, list[str]] = {}
    for kind, parts in spec.items():
        formatted = data.arns.get(kind) or table.arns.get(kind)
        if formatted:
            named = list(dict.fromkeys(_of_type(formatted, parts, values, scope)))
            if named:
                found[kind] = named
    for kind, replaced in data.instead.items():
        if kind in found:
            found.pop(replaced, None)
    return list(dict.fromkeys(arn for named in found.values() for arn in named))


def _of_type(formatted: str, parts: Parts, values: members.Members, scope: Scope) -> Iterator[str]:
    head, slots = _split(formatted, scope.region, scope.account)
    if not parts:
        yield formatted_arn(head, slots, ())
        return
    columns = [_values(alternatives, values, scope) for alternatives in parts]
    whole = [value for value in columns[-1] if value.startswith("arn:")]
    yield from (value for value in whole if _same_kind(value, head))
    columns[-1] = [value for value in columns[-1] if not value.startswith("arn:")]
    for chosen in product(*columns):
        if len(chosen) == slots.count("") or len(chosen) == 1:
            names = tuple(_name(value) for value in chosen)
            yield formatted_arn(head, slots, (names[0].removeprefix("/"), *names[1:]) if head.endswith("/") else names)


@lru_cache(maxsize=1024)
def _split(formatted: str, region: str, account: str) -> tuple[str, tuple[str, ...]]:
    """The text of an ARN format before its first part, and what follows: an empty text stands for each part."""
    text = formatted.replace("${Partition}", "aws").replace("${Region}", region).replace("${Account}", account)
    pieces = _PART.split(text)
    slots: list[str] = []
    for piece in pieces[1:]:
        slots += ["", piece] if piece else [""]
    return pieces[0], tuple(slots)


def formatted_arn(head: str, slots: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Fills the parts of an ARN; the last name stands for every part that is left."""
    text, left = [head], list(names)
    for slot in slots:
        if slot:
            text.append(slot)
        elif left:
            text.append(left.pop(0))
    joined = "".join(text)
    return joined.rstrip("/:") if len(names) < slots.count("") and names else joined


def _same_kind(arn: str, head: str) -> bool:
    """Whether an ARN is of the resource type whose ARNs begin with ``head``, in any region and account."""
    given, wanted = arn.split(":", 5), head.split(":", 5)
    if len(given) < 6 or given[2] != wanted[2]:
        return False
    return given[5].startswith(wanted[5]) if len(wanted) == 6 else True


def _values(alternatives: tuple[str, ...], values: members.Members, scope: Scope) -> list[str]:
    found = [text for path in alternatives if path[0] not in "=@" for text in members.texts(values, path)]
    for path in alternatives:
        if not found and path.startswith("@"):
            found = lookups.find(path[1:], values, scope.region, scope.account, scope.path)
        elif not found and path.startswith("="):
            found = [path[1:]]
    return found


def _name(value: str) -> str:
    """The name in a URL or in an ARN; a name stays as it is."""
    if value.startswith("arn:") or "://" in value:
        return value.rsplit("/", 1)[-1]
    return value
