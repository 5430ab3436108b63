"""Attributes with very many elements. They are stored element by element, and only those that changed.

An element may hold plain values, value classes (:data:`infra.localcloud.state.rules.VALUES`) and backends, but no other
stored object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_MISSING = object()


@dataclass
class Difference:
    """What changed in one attribute since it was stored.

    Attributes:
        clear: Delete all stored elements first.
        put: Keys and values to store.
        delete: Keys whose elements are deleted.
    """

    clear: bool = False
    put: list[tuple[Any, Any]] = field(default_factory=list)
    delete: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.clear or self.put or self.delete)


class Elements(ABC):
    """An attribute whose elements are stored separately."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    @abstractmethod
    def difference(self, owner: Any, before: Any) -> tuple[Difference, Any]:
        """Compares the attribute with what is stored.

        Args:
            owner: The object with the attribute.
            before: The marker that the last call returned; None if it is not known what is stored.

        Returns:
            What changed, and the marker for the next call.
        """

    def key_text(self, key: Any) -> str:
        """The key as text; equal keys have equal texts."""
        return str(key)

    @abstractmethod
    def load(self, owner: Any, stored: Iterator[tuple[Any, Any]]) -> Any:
        """Fills the attribute with its stored keys and values, in the order in which they were stored.

        Returns:
            The marker for the first call of :meth:`difference`.
        """


class AppendedList(Elements):
    """A list that grows at its end. The key of a stored chunk is the position of its first element."""

    def difference(self, owner: Any, before: Any) -> tuple[Difference, Any]:
        """New elements at the end; the whole list when it changed otherwise."""
        values: list[Any] = getattr(owner, self.attribute)
        count = len(values)
        first, last, stored = before or (None, None, 0)
        change = Difference(clear=before is None and count > 0)
        if stored and (count < stored or values[0] is not first or values[stored - 1] is not last):
            change.clear, stored = True, 0
        if count > stored:
            change.put = [(stored, values[stored:count])]
        return change, (values[0], values[count - 1], count) if count else None

    def load(self, owner: Any, stored: Iterator[tuple[Any, Any]]) -> Any:
        """The chunks in the order of their positions."""
        values = [value for _, chunk in sorted(stored, key=lambda entry: entry[0]) for value in chunk]
        setattr(owner, self.attribute, values)
        return (values[0], values[-1], len(values)) if values else None


class KeyedElements(Elements):
    """A dictionary whose values are replaced, not changed in place."""

    def difference(self, owner: Any, before: Any) -> tuple[Difference, Any]:
        """Keys with another value than before."""
        values: dict[Any, Any] = getattr(owner, self.attribute)
        if before is None:
            return Difference(clear=bool(values), put=list(values.items())), dict(values)
        change = Difference(
            put=[(key, value) for key, value in values.items() if before.get(key, _MISSING) is not value],
            delete=list(before.keys() - values.keys()),
        )
        return change, dict(values) if change else before

    def load(self, owner: Any, stored: Iterator[tuple[Any, Any]]) -> Any:
        """The keys in the order in which they were stored."""
        values = dict(stored)
        setattr(owner, self.attribute, OrderedDict(values))
        return values
