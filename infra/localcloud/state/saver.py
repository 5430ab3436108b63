"""Saves what background work changed: soon, together, and from a thread of its own."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable

from moto.core.base_backend import BaseBackend

_TOGETHER_SECONDS = 0.3


class Saver:
    """Waits for requests, and saves the backends of all that came within a short time at once.

    Args:
        save: Saves backends.
    """

    def __init__(self, save: Callable[..., None]) -> None:
        self._save = save
        self._changed = threading.Condition()
        self._backends: dict[int, BaseBackend] = {}
        self._saving: frozenset[int] = frozenset()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="state-saver", daemon=True)
        self._thread.start()

    def request(self, backend: BaseBackend) -> None:
        """Asks for a backend to be saved."""
        with self._changed:
            self._backends[id(backend)] = backend
            self._changed.notify()

    def take(self, backend: BaseBackend) -> bool:
        """Whether a backend was to be saved, or is being saved; the caller saves it now."""
        if not self._backends and not self._saving:
            return False
        with self._changed:
            return self._backends.pop(id(backend), None) is not None or id(backend) in self._saving

    def close(self) -> None:
        """Saves what was asked for, and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._backends and not self._closing:
                    self._changed.wait()
                if not self._backends:
                    return
                closing = self._closing
            if not closing:
                time.sleep(_TOGETHER_SECONDS)
            with self._changed:
                backends, self._backends = list(self._backends.values()), {}
                self._saving = frozenset(id(backend) for backend in backends)
            try:
                self._save(*backends)
            except Exception:  # the thread must go on: the next save writes what this one could not
                traceback.print_exc(file=sys.stderr)
            self._saving = frozenset()
