"""Compares two descriptions field by field, against a list of the differences that have a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

ABSENT = "(absent)"


@dataclass(frozen=True, order=True)
class Difference:
    """A field that two clouds have differently.

    Attributes:
        kind: The kind of resource.
        name: The resource.
        field: The path to the field, with dots; empty when one cloud lacks the whole resource.
        terraform: The value that Terraform made.
        laptop: The value that the bootstrap made.
    """

    kind: str
    name: str
    field: str
    terraform: str
    laptop: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.field}: Terraform {self.terraform}, laptop {self.laptop}"


@dataclass(frozen=True)
class Expected:
    """A difference that is meant. The patterns are those of :mod:`fnmatch`.

    Attributes:
        kind: The kind of resource.
        name: Pattern of its name.
        field: Pattern of the field's path.
        reason: Why Terraform and the bootstrap differ.
    """

    kind: str
    name: str
    field: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether it is about this difference."""
        return (
            self.kind == difference.kind
            and fnmatchcase(difference.name, self.name)
            and fnmatchcase(difference.field, self.field)
        )


def differences(
    terraform: Mapping[str, Mapping[str, Any]], laptop: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    """The differences of all resources that either cloud has.

    Args:
        terraform: Kind → name → description of what Terraform made.
        laptop: The same of what the bootstrap made.
    """
    for kind in sorted({*terraform, *laptop}):
        ours, theirs = terraform.get(kind, {}), laptop.get(kind, {})
        for name in sorted({*ours, *theirs}):
            if name not in ours or name not in theirs:
                yield Difference(kind, name, "", _presence(name in ours), _presence(name in theirs))
                continue
            made, wanted = dict(_fields(ours[name])), dict(_fields(theirs[name]))
            for field in sorted({*made, *wanted}):
                pair = made.get(field, ABSENT), wanted.get(field, ABSENT)
                if pair[0] != pair[1]:
                    yield Difference(kind, name, field, *map(str, pair))


def _presence(there: bool) -> str:
    return "has it" if there else ABSENT


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a document with their paths. An empty list or object is as good as none."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _fields(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _fields(one, f"{path}.{index}")
    elif value is not None:
        yield path, value
