"""One request of a service at a time.

moto's backends check and then write without locks, and conditional writes are commits here.
"""

from __future__ import annotations

import io
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .request import Asked


class Serialize:
    """WSGI middleware; expects the :class:`Asked` that ``record`` left in the environment."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked: Asked = environ["nightjar.asked"]
        # The body is read before the lock is taken: a slow client holds up nobody but itself.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        with self._locks[asked.service]:
            return self._application(environ, start_response)
