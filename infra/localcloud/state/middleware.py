"""Stores what a request changed, before its answer goes out."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.state.backends import changed_backends, read_backends
from infra.localcloud.state.errors import StateError
from infra.localcloud.state.reads import is_read
from infra.localcloud.state.store import StateStore
from infra.localcloud.wsgi import HeldResponse


class StoreWrites:
    """WSGI middleware directly around moto's application, inside the lock of the request's service.

    A request that failed is compared too: moto may have changed something before it found the error, and memory and
    disk must agree after every request.
    """

    def __init__(self, application: WSGIApplication, state: StateStore) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; the answer of a write goes out when its changes are on disk.

        Raises:
            StateError: The changes could not be stored.
        """
        request: AwsRequest = environ[ENVIRON_KEY]
        if is_read(request.service, request.action):
            return self._read(environ, start_response)
        if self._state.failure:
            raise StateError(self._state.failure)
        answer = HeldResponse()
        with changed_backends() as changed:
            try:
                parts = self._application(environ, answer)
            finally:
                self._save(changed.values(), request.action)
        start_response(*answer.start)
        return parts

    def _read(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = HeldResponse()
        with read_backends() as read:
            parts = self._application(environ, answer)
        self._state.before_answer(read.values())
        start_response(*answer.start)
        return parts

    def _save(self, backends: Iterable[Any], action: str) -> None:
        try:
            self._state.save(*backends, action=action)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            raise
