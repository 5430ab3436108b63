"""Requests that change a service run one at a time; its known reads run in parallel.

moto's backends check and then write without locks. A read is only in ``READS`` if a test has seen that it leaves the
backend's state as it was.
"""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.request import ENVIRON_KEY, AwsRequest

# Actions that only read, by service.
READS: dict[str, frozenset[str]] = {
    "dynamodb": frozenset({"BatchGetItem", "DescribeTable", "GetItem", "ListTables", "Query", "Scan"}),
    "glue": frozenset({"GetDatabase", "GetDatabases", "GetPartition", "GetPartitions", "GetTable", "GetTables"}),
    "ssm": frozenset({"GetParameter", "GetParameters"}),
}
# A longer request body waits on the disk for its turn.
_IN_MEMORY = 256 * 1024
_BLOCK = 1 << 20


class ReadWriteLock:
    """Many readers or one writer. A waiting writer goes before readers that come later."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._writing = False
        self._waiting_writers = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Runs the block beside other readers."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing and not self._waiting_writers)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Runs the block alone."""
        with self._changed:
            self._waiting_writers += 1
            self._changed.wait_for(lambda: not self._writing and not self._readers)
            self._waiting_writers -= 1
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()


class ServiceLocks:
    """WSGI middleware with one lock per service. The request log before it has identified the request."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._locks: dict[str, ReadWriteLock] = defaultdict(ReadWriteLock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request: beside other reads if it is one, otherwise alone."""
        request: AwsRequest = environ[ENVIRON_KEY]
        lock = self._locks[request.service]
        turn = lock.reading if request.action in READS.get(request.service, ()) else lock.writing
        # The body is received before the lock is taken, so that a slow client delays nobody else.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            while block := environ["wsgi.input"].read(_BLOCK):
                body.write(block)
            body.seek(0)
            environ["wsgi.input"] = body
            with turn():
                return self._application(environ, start_response)
