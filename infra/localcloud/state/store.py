"""Finds what changed in moto's backends, writes it, and restores it at the start.

Every instance of a model class that a backend reaches is one row, with references to the others by number. To save a
backend is to walk over its objects, encode each, and write those whose bytes differ from what is stored, in one
transaction. Attributes with very many elements are compared element by element (:mod:`~.elements`).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from moto.core.base_backend import BaseBackend

from infra.localcloud.config import Config
from infra.localcloud.install import Context
from infra.localcloud.state import rules, shape
from infra.localcloud.state.backends import BackendName, name_of, observe
from infra.localcloud.state.database import Changes, Database
from infra.localcloud.state.dynamodb import observe_items
from infra.localcloud.state.elements import Elements
from infra.localcloud.state.encoding import class_name, encode
from infra.localcloud.state.errors import UnstorableError
from infra.localcloud.state.large import elements_of
from infra.localcloud.state.loading import Loader
from infra.localcloud.state.log_lines import observe_logs
from infra.localcloud.state.saver import Saver
from infra.localcloud.state.tracked import Tracked, TrackedObjects

_ATTEMPTS = 50
_PATIENCE_SECONDS = 10.0
_OURS = __name__.removesuffix("state.store")


class StateStore:
    """The stored state of all backends.

    Args:
        config: The server's configuration. The file is ``state.db`` in its state folder.

    Raises:
        StateError: The stored state cannot be read.

    Attributes:
        backends: The backends that were restored.
        failure: Why no further change is accepted; None while changes can be stored.
    """

    def __init__(self, config: Config) -> None:
        self._database = Database(config.state / "state.db", shape.versions())
        self.backends: list[BaseBackend] = []
        self._objects = TrackedObjects()
        self._scanning = threading.RLock()
        self._committing = threading.Lock()
        self._pending: list[Changes] = []
        self._found = self._written = 0  # how many changes were found, and how many of them are on disk
        self._changed = threading.Condition()
        self._unsaved: Counter[int] = Counter()
        self._known: set[int] = set()  # id() of each backend that was saved; backends live as long as the server
        self._saver = Saver(self.save)
        self.failure: str | None = None

    # --- start and end ---

    def restore(self, context: Context) -> None:
        """Loads everything that is stored, and lets our own objects adapt to the start.

        Args:
            context: The context for the restored backends.

        Raises:
            StateError: A row is damaged or names something unknown. The server must not go on.
        """
        observe()
        observe_items()
        observe_logs(self.soon)
        with self._scanning:
            self.backends = Loader(self._database, self._objects, context).load()
            dropped = self._objects.drop_unreachable()
            if dropped:
                self._pending.append(dropped)
                self._found += 1
            loaded = self._objects.all()
        for tracked in loaded:
            if type(tracked.obj).__module__.startswith(_OURS) and hasattr(tracked.obj, "restored"):
                tracked.obj.restored()
        self.save(*self.backends)

    def resume(self) -> None:
        """Lets the restored backends start what runs: listeners, services. Called when the server listens."""
        for backend in self.backends:
            if resume := getattr(backend, "resume", None):
                resume()

    def close(self) -> None:
        """Stores what background work changed last, and closes the file."""
        self._saver.close()
        with self._committing:
            self._database.close()

    # --- saving ---

    def soon(self, backend: BaseBackend) -> None:
        """Saves the backend within half a second, from another thread, or before a client reads from it."""
        self._saver.request(backend)

    @contextmanager
    def background(self, backend: BaseBackend) -> Iterator[None]:
        """Around a change that no request makes, such as the end of a job. It is on disk when the block ends.

        An answer that may show the change waits for that (:meth:`before_answer`), so no client is told of a change
        that a kill could undo.
        """
        with self._changed:
            self._unsaved[id(backend)] += 1
        try:
            yield
            self.save(backend)
        finally:
            with self._changed:
                self._unsaved[id(backend)] -= 1
                self._changed.notify_all()

    def before_answer(self, backends: Collection[BaseBackend]) -> None:
        """Returns when everything that a read of these backends may show is on disk.

        A backend that was made for the read is saved: its ids, such as that of the default VPC, are told to the client.
        """
        unsaved = [b for b in backends if self._saver.take(b) or id(b) not in self._known]
        if unsaved:
            self.save(*unsaved)
        if not any(self._unsaved.get(id(backend)) for backend in backends):
            return
        with self._changed:
            self._changed.wait_for(lambda: not any(self._unsaved.get(id(b)) for b in backends), _PATIENCE_SECONDS)

    def save(self, *backends: BaseBackend, action: str | None = None) -> None:
        """Writes what changed in these backends, and returns when it is on disk.

        Args:
            *backends: The backends.
            action: The action of the request that changed them; None for a change in the background.

        Raises:
            UnstorableError: Something in them cannot be stored.
            sqlite3.Error: The file cannot be written. No further write is acknowledged.
        """
        with self._scanning:
            changes = Changes()
            try:
                for backend in backends:
                    self._scan(backend, action, changes)
            except BaseException:
                self._objects.forget_digests(changes)
                raise
            self._objects.drop_unreferenced(changes)
            if changes:
                self._pending.append(changes)
                self._found += 1
            found = self._found
        # Another thread may have found what this one changed, and not have written it yet: services reach each other.
        if self._written < found:
            self._commit()

    def _commit(self) -> None:
        """Commits all pending changes: those of this thread, unless another has done so, and of those that wait."""
        with self._committing:
            with self._scanning:
                batch, self._pending = self._pending, []
                found = self._found
            if self.failure:
                raise OSError(self.failure)
            if not batch:
                return
            try:
                self._database.commit(batch)
            except Exception as error:
                self.failure = (
                    f"The state could not be stored in {self._database.file} ({error}). No further change is accepted:"
                    " free the disk, and restart the local cloud"
                )
                raise
            self._written = found

    # --- finding changes ---

    def _scan(self, backend: BaseBackend, action: str | None, changes: Changes) -> None:
        name = name_of(backend)
        self._known.add(id(backend))
        if name.variable in rules.NOT_STORED:
            return
        root = self._objects.root(backend)
        stack: list[Any] = [root.obj]
        seen: set[int] = set()
        while stack:
            obj = stack.pop()
            if id(obj) not in seen:
                seen.add(id(obj))
                tracked = self._objects.of(obj)
                if not _is_unchanged(tracked, action):
                    stack += self._compare(tracked, changes, name if obj is backend else None)

    def _compare(self, tracked: Tracked, changes: Changes, name: BackendName | None) -> Iterable[Any]:
        """Adds the object to the changes if it differs from what is stored; returns the objects that it refers to."""
        obj = tracked.obj
        data, references = self._encode(obj, lambda: _attributes(obj, name))
        digest = hashlib.sha256(data).digest()
        if digest != tracked.digest:
            kind = "backend " + " ".join(name) if name else class_name(type(obj))
            changes.objects.append((tracked.number, kind, digest, data))
            tracked.digest = digest
            self._objects.refer(tracked, references)
        for elements in elements_of(type(obj)):
            self._compare_elements(tracked, elements, changes)
        tracked.sealed = _is_sealed(obj)
        return references

    def _compare_elements(self, tracked: Tracked, elements: Elements, changes: Changes) -> None:
        attribute = elements.attribute
        difference, tracked.markers[attribute] = elements.difference(tracked.obj, tracked.markers.get(attribute))
        number = tracked.number
        if difference.clear:
            changes.cleared_elements.append((number, attribute))
        changes.deleted_elements += [(number, attribute, elements.key_text(key)) for key in difference.delete]
        for key, value in difference.put:
            data, references = self._encode(tracked.obj, lambda entry=(key, value): entry)
            if references:
                raise UnstorableError(
                    f"{class_name(type(tracked.obj))}.{attribute} has elements that refer to"
                    f" {class_name(type(references[0]))}: name that class in rules.VALUES"
                )
            digest = hashlib.sha256(data).digest()
            changes.elements.append((number, attribute, elements.key_text(key), digest, data))

    def _encode(self, obj: Any, value: Any) -> tuple[bytes, list[Any]]:
        """Encodes ``value()``, again if another thread changes a container meanwhile."""
        for attempt in range(_ATTEMPTS):
            try:
                return encode(value(), self._objects.number, name_of)
            except UnstorableError as error:
                raise UnstorableError(f"{class_name(type(obj))} {error}") from error
            except RuntimeError:  # "dictionary changed size during iteration"
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.001)
        raise AssertionError("unreachable")


def _is_unchanged(tracked: Tracked, action: str | None) -> bool:
    """Whether an object that was stored cannot have changed by this action."""
    if tracked.sealed:
        return True
    actions = tracked.changed_by
    return actions is not None and action is not None and bool(tracked.digest) and action not in actions


def _is_sealed(obj: Any) -> bool:
    kind = type(obj)
    return getattr(obj, "sealed", False) if kind.__module__.startswith(_OURS) else class_name(kind) in rules.SEALED


@cache
def _left_out(kind: Any) -> frozenset[str]:
    """The attributes that are not stored with the object itself."""
    elements = (elements.attribute for elements in elements_of(kind))
    return frozenset({*getattr(kind, "RUNTIME", ()), *rules.MADE_BY_INIT.get(class_name(kind), ()), *elements})


def _attributes(obj: Any, name: BackendName | None) -> dict[str, Any]:
    """The attributes that are stored with the object itself."""
    attributes: dict[str, Any] = vars(obj)
    kind: Any = type(obj)
    if left_out := _left_out(kind):
        attributes = {key: value for key, value in attributes.items() if key not in left_out}
    if name and (counter := rules.CLASS_COUNTERS.get(name.variable)):
        attributes = {**attributes, rules.COUNTER: getattr(*counter)}
    return attributes
