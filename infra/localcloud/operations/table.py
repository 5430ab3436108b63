"""Reads the tables of services and operations. A service's table is read at the first request for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

TABLES = Path(__file__).with_name("tables")

Kind = Literal["executes", "state only", "refused"]
KINDS: tuple[Kind, ...] = ("executes", "state only", "refused")


@dataclass(frozen=True)
class Service:
    """A service that moto answers.

    Attributes:
        name: botocore's name.
        signing_name: The name in a request's signature, which several services may share.
        target_prefix: The first part of the X-Amz-Target header, for services that use it.
        version: The API's version, which tells services of the query protocol apart.
        refused: Why no operation is executed, or None if the service has a table of operations.
    """

    name: str
    signing_name: str
    target_prefix: str | None
    version: str | None
    refused: str | None


@dataclass(frozen=True)
class Operation:
    """An operation's line in the table.

    Attributes:
        kind: What the local cloud does with it.
        text: *executes*: what it does, where that is not plain; *state only*: what does not act; *refused*: the
            reason, and what would make it real.
    """

    kind: Kind
    text: str


@dataclass(frozen=True)
class RefusedMember:
    """A member of a request with which the operation is refused, because moto ignores it.

    Attributes:
        path: The names from the request's top to the member. Lists on the way are searched through.
        reason: Why it is refused.
        values: The values that are refused; empty for all.
        harmless: The values that are not refused.
        unless: Values of top-level members with which the member is harmless.
    """

    path: tuple[str, ...]
    reason: str
    values: tuple[Any, ...] = ()
    harmless: tuple[Any, ...] = ()
    unless: Mapping[str, Any] = field(default_factory=dict)

    def is_given(self, request: Mapping[str, Any]) -> bool:
        """Whether the request has the member with a value that is refused."""
        if self.unless and all(request.get(name) == value for name, value in self.unless.items()):
            return False
        given = (value for value in _values_at(request, self.path) if value not in self.harmless)
        return any(not self.values or value in self.values for value in given)


@dataclass(frozen=True)
class ServiceTable:
    """The operations of one service.

    Attributes:
        summary: What of the service is real, in a sentence or two.
        operations: By the operation's name.
        refused_members: By the operation's name.
        ignored_members: The members that are kept or dropped without effect, by the operation's name.
    """

    summary: str
    operations: Mapping[str, Operation]
    refused_members: Mapping[str, tuple[RefusedMember, ...]]
    ignored_members: Mapping[str, tuple[str, ...]]


@cache
def services() -> Mapping[str, Service]:
    """Every service that moto answers, by botocore's name."""
    return {
        name: Service(name, entry["signing"], entry.get("target"), entry.get("version"), entry.get("refused"))
        for name, entry in _read("services").items()
    }


@cache
def service_table(service: str) -> ServiceTable:
    """The operations of a service that is not refused whole."""
    read = _read(service)
    operations = {
        name: Operation(kind, group.get("text", ""))
        for kind in KINDS
        for group in read.get(kind, [])
        for name in group["operations"]
    }
    refused = {
        operation: tuple(
            RefusedMember(
                tuple(entry["member"].split(".")),
                entry["reason"],
                tuple(entry.get("values", ())),
                tuple(entry.get("except", ())),
                entry.get("unless", {}),
            )
            for entry in entries
        )
        for operation, entries in read.get("refused members", {}).items()
    }
    ignored = {operation: tuple(names) for operation, names in read.get("ignored members", {}).items()}
    return ServiceTable(read["summary"], operations, refused, ignored)


def _read(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load((TABLES / f"{name}.yaml").read_text(encoding="utf-8"), loader)
    return read


def _values_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Every value at the path; members that are absent, null, false or empty count as not given."""
    if isinstance(value, list):
        for item in value:
            yield from _values_at(item, path)
    elif not path:
        if value not in (None, False, "", [], {}):
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:])
