"""The objects that are stored, their numbers, and which of them refer to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.core.base_backend import BaseBackend

from infra.localcloud.state import rules
from infra.localcloud.state.database import Changes
from infra.localcloud.state.encoding import class_name


@dataclass(eq=False)
class Tracked:
    """One stored object.

    Attributes:
        number: Its number in the file.
        obj: The object; held, so that its ``id()`` is its own.
        digest: The SHA-256 of its stored bytes; empty before it was stored.
        references: The numbers of the objects to which it refers.
        referred: How many stored objects refer to it.
        sealed: Whether it changes no more, so that it need not be compared again.
        changed_by: The only actions that change it; None if any may.
        is_root: Whether it is a backend, which is kept without a reference.
        markers: What is stored of its elements, by attribute.
    """

    number: int
    obj: Any
    digest: bytes = b""
    references: frozenset[int] = frozenset()
    referred: int = 0
    sealed: bool = False
    changed_by: frozenset[str] | None = None
    is_root: bool = False
    markers: dict[str, Any] = field(default_factory=dict)


class TrackedObjects:
    """All stored objects. The store's lock guards it."""

    def __init__(self) -> None:
        self._by_id: dict[int, Tracked] = {}
        self._by_number: dict[int, Tracked] = {}
        self._next = 1
        self._lost: set[int] = set()

    def all(self) -> list[Tracked]:
        """All objects, in the order of their numbers."""
        return list(self._by_number.values())

    def add(self, number: int, obj: Any, digest: bytes = b"") -> Tracked:
        """Tracks an object under this number."""
        changed_by = rules.CHANGED_BY.get(class_name(type(obj)))
        tracked = Tracked(number, obj, digest, changed_by=changed_by)
        self._by_id[id(obj)] = self._by_number[number] = tracked
        self._next = max(self._next, number + 1)
        return tracked

    def of(self, obj: Any) -> Tracked:
        """The object's entry; a new one for a new object."""
        return self._by_id.get(id(obj)) or self.add(self._next, obj)

    def number(self, obj: Any) -> int:
        """The object's number."""
        return self.of(obj).number

    def numbered(self, number: int) -> Tracked:
        """The entry with this number.

        Raises:
            KeyError: There is none.
        """
        return self._by_number[number]

    def root(self, backend: BaseBackend) -> Tracked:
        """The entry of a backend."""
        tracked = self.of(backend)
        tracked.is_root = True
        return tracked

    def refer(self, tracked: Tracked, references: Iterable[Any]) -> None:
        """Records to which objects an object refers now."""
        after = frozenset(self.number(obj) for obj in references)
        before, tracked.references = tracked.references, after
        for number in after - before:
            self._by_number[number].referred += 1
        for number in before - after:
            self._release(number)

    def _release(self, number: int) -> None:
        other = self._by_number[number]
        other.referred -= 1
        if other.referred == 0 and not other.is_root:
            self._lost.add(number)

    def drop_unreferenced(self, changes: Changes) -> None:
        """Forgets objects to which nothing refers any more, and adds their rows to the changes.

        Objects that refer to each other in a circle stay until the next start, which loads only what a backend reaches.
        """
        while self._lost:
            tracked = self._by_number[self._lost.pop()]
            if tracked.referred:
                continue
            changes.dropped_objects.append(tracked.number)
            self.forget(tracked)
            for number in tracked.references:
                self._release(number)

    def forget_digests(self, changes: Changes) -> None:
        """Lets the next save write the objects again whose changes were found and are not written."""
        numbers = {row[0] for row in changes.objects} | {row[0] for row in changes.elements}
        numbers |= {row[0] for row in changes.cleared_elements} | {row[0] for row in changes.deleted_elements}
        for number in numbers:
            tracked = self._by_number[number]
            tracked.digest, tracked.sealed = b"", False
            tracked.markers.clear()

    def drop_unreachable(self) -> Changes:
        """Forgets the objects that no backend reaches; returns the changes that delete their rows."""
        reached: set[int] = set()
        stack = [tracked.number for tracked in self._by_number.values() if tracked.is_root]
        while stack:
            number = stack.pop()
            if number not in reached:
                reached.add(number)
                stack += self._by_number[number].references
        lost = [tracked for number, tracked in self._by_number.items() if number not in reached]
        for tracked in lost:
            self.forget(tracked)
        return Changes(dropped_objects=[tracked.number for tracked in lost])

    def forget(self, tracked: Tracked) -> None:
        """Stops tracking an object."""
        del self._by_number[tracked.number]
        del self._by_id[id(tracked.obj)]
