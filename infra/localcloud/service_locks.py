"""One request of a service at a time.

moto's backends check and then write without locks, and conditional writes are commits here.
"""

from __future__ import annotations

import io
import threading
from collections import defaultdict
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.request import ENVIRON_KEY, AwsRequest


class ServiceLocks:
    """WSGI middleware with one lock per service. The request log before it has identified the request."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request after those of the same service that came before it."""
        request: AwsRequest = environ[ENVIRON_KEY]
        # The body is read before the lock is taken, so that a slow client delays nobody else.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        with self._locks[request.service]:
            return self._application(environ, start_response)
