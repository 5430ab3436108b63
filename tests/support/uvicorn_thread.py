"""uvicorn as a worker starts it, in a thread of the test."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from infra.laptop.free_ports import free_port
from serving import listeners
from serving.http_protocol import HttpProtocol
from serving.worker import uvicorn_config
from tests.support.serving_state import make_settings

SECONDS = 60
PAUSE_SECONDS = 0.02
_CHANGES = (
    (re.compile(rb"\r\ndate: [^\r]*"), rb"\r\ndate: -"),
    (re.compile(rb"\r\nx-request-id: [0-9a-f]{32}\r"), rb"\r\nx-request-id: -\r"),
    (re.compile(rb'"request_id":"[0-9a-f]{32}"'), rb'"request_id":"-"'),
)


class Counting:
    """An ASGI application that counts the requests that reach another: all, and those in progress."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.requests = self.open = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        self.open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.open -= 1


@contextmanager
def uvicorn_thread(app: Any, protocol: Callable[..., HttpProtocol]) -> Iterator[int]:
    """Serves an application; yields the port."""
    port = free_port()
    (group,) = listeners.open_listeners("127.0.0.1", [port], 1)
    server = uvicorn.Server(uvicorn_config(app, make_settings(), "off", protocol))
    thread = threading.Thread(target=server.run, kwargs={"sockets": list(group)})
    thread.start()
    try:
        end = time.monotonic() + SECONDS
        while not server.started and thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        assert server.started
        yield port
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        listeners.close([group])


def conversation(port: int, packets: Sequence[bytes], answers: int, last: bytes | None) -> bytes:
    """Everything that the service writes until it closes the connection, without dates and its own request ids.

    Args:
        port: The service's port.
        packets: What is sent.
        answers: Number of answers, after which ``last`` is sent.
        last: Sent after them, to see that the connection still works; empty: this side ends it; None: the
            service does.
    """
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, packet in enumerate(packets):
            if number:
                time.sleep(PAUSE_SECONDS)
            connection.sendall(packet)
        while last is not None and found.count(b"HTTP/1.1 ") < answers:
            part = connection.recv(65536)
            assert part, f"closed after {found!r}"
            found += part
        if last:
            connection.sendall(last)
        elif last is not None:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            found += part
    for pattern, text in _CHANGES:
        found = pattern.sub(text, found)
    return found
