"""Loads the stored state: first all objects without attributes, then their attributes, which refer to each other."""

from __future__ import annotations

import hashlib
import importlib
import pickle
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from moto.core.base_backend import BaseBackend

from infra.localcloud.install import Context
from infra.localcloud.state import rules
from infra.localcloud.state.backends import BackendName, backend_named
from infra.localcloud.state.database import Database
from infra.localcloud.state.elements import Elements
from infra.localcloud.state.encoding import Decoder, class_name, is_stored_object
from infra.localcloud.state.errors import StateError
from infra.localcloud.state.large import elements_of
from infra.localcloud.state.tracked import Tracked, TrackedObjects

_BACKEND = "backend "


class Loader:
    """Loads one file into memory.

    Args:
        database: The file.
        objects: Receives the loaded objects.
        context: The server's context.
    """

    def __init__(self, database: Database, objects: TrackedObjects, context: Context) -> None:
        self._database = database
        self._objects = objects
        self._decoder = Decoder(self._find, lambda *name: backend_named(BackendName(*name)), context)
        self._references: list[Any] = []
        self._elements: dict[tuple[int, str], list[bytes]] = defaultdict(list)

    def load(self) -> list[BaseBackend]:
        """Loads everything.

        Returns:
            The backends that were stored.

        Raises:
            StateError: A row is damaged, or what it names does not exist.
        """
        stored: list[tuple[Tracked, bytes, BackendName | None]] = []
        try:
            for number, kind, digest, data in self._database.objects():
                self._check(data, digest, kind)
                name = BackendName(*kind.split(" ")[1:]) if kind.startswith(_BACKEND) else None
                tracked = self._objects.add(number, backend_named(name) if name else _empty(kind), digest)
                tracked.is_root = name is not None
                stored.append((tracked, data, name))
            for number, attribute, digest, data in self._database.elements():
                self._check(data, digest, attribute)
                self._elements[number, attribute].append(data)
            for tracked, data, name in stored:
                self._fill(tracked, data, name)
        except StateError:
            raise
        except Exception as error:  # whatever a wrong row causes, nothing may be served from half of the state
            raise self._database.damaged(f"{type(error).__name__}: {error}") from error
        return [tracked.obj for tracked, _, name in stored if name]

    def _find(self, number: int) -> Any:
        obj = self._objects.numbered(number).obj
        self._references.append(obj)
        return obj

    def _check(self, data: bytes, digest: bytes, what: str) -> None:
        if hashlib.sha256(data).digest() != digest:
            raise self._database.damaged(f"an entry of {what} is not what was written")

    def _fill(self, tracked: Tracked, data: bytes, name: BackendName | None) -> None:
        obj = tracked.obj
        self._references = []
        attributes: dict[str, Any] = self._decoder.decode(data)
        self._objects.refer(tracked, self._references)
        runtime: dict[str, Any] = getattr(type(obj), "RUNTIME", {})
        if name:
            kept = {*runtime, *rules.MADE_BY_INIT.get(class_name(type(obj)), ())}
            runtime = {attribute: value for attribute, value in vars(obj).items() if attribute in kept}
            if counter := rules.CLASS_COUNTERS.get(name.variable):
                setattr(*counter, attributes.pop(rules.COUNTER))
        vars(obj).clear()
        vars(obj).update({**attributes, **runtime})
        for elements in elements_of(type(obj)):
            tracked.markers[elements.attribute] = elements.load(obj, self._stored(tracked, elements))

    def _stored(self, tracked: Tracked, elements: Elements) -> Iterator[tuple[Any, Any]]:
        for data in self._elements.pop((tracked.number, elements.attribute), ()):
            yield self._decoder.decode(data)


def _empty(kind: str) -> Any:
    """A new instance of the class, without attributes."""
    module, _, name = kind.partition(":")
    if not module.startswith(rules.MODULES):
        raise pickle.UnpicklingError(f"{kind} is no class of stored objects")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not is_stored_object(found):
        raise pickle.UnpicklingError(f"{kind} is no class of stored objects")
    return object.__new__(found)
