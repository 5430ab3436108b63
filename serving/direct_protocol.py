"""Answers a prediction inside uvicorn's protocol, without an ASGI cycle, which would cost as much as the prediction.

The protocol only accepts: a request whose body came in one packet with the end of its head, with nothing after it, on a
connection that owes no other answer, and that ``serving.direct_answer`` is sure of. Any other request gets its cycle
before the event loop runs anything else, so it is answered as without this class.
``tests/serving/test_direct_protocol.py`` compares both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from uvicorn import Config
from uvicorn.server import ServerState

from serving.http_protocol import HttpProtocol


class DirectAnswer(Protocol):
    """Answers requests to one path."""

    method: bytes
    path: bytes

    def __call__(self, fields: Mapping[bytes, bytes], body: bytes) -> bytes | None:
        """Returns the 200's own header lines, the empty line and the body; ``None`` if it is not sure of the request.

        ``fields`` has the last of each header, by its name in lower case.
        """
        ...


class DirectProtocol(HttpProtocol):
    """HTTP/1.1 connection on which good predictions are answered at once."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        answer: DirectAnswer,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._answer = answer
        self._fields: dict[bytes, bytes] | None = None  # of a request without a cycle that may be answered at once
        self._body = b""
        self._whole = False
        self._default_headers: list[tuple[bytes, bytes]] | None = None
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the connection."""
        super().data_received(data)
        if self._fields is not None and not self._answered(self._fields):
            self._start_cycle()

    def on_message_begin(self) -> None:
        """Starts a request; its scope is made only with its cycle."""
        if self._fields is not None:
            self._start_cycle()
        self.url, self.headers, self._body, self._whole = b"", [], b"", False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header field."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Starts the request's cycle, unless the request may be answered at once."""
        parser, answer = self.parser, self._answer
        if (
            self.url == answer.path
            and (self.cycle is None or self.cycle.response_complete)
            and parser.get_method() == answer.method
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        ):
            fields = dict(self.headers)
            if b"content-length" in fields and b"expect" not in fields and b"transfer-encoding" not in fields:
                self._fields = fields
                return
        self._start_cycle()

    def on_body(self, body: bytes) -> None:
        """Adds a part of the body."""
        if self._fields is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Ends the request's body."""
        if self._fields is None:
            super().on_message_complete()
        else:
            self._whole = True

    def _answered(self, fields: Mapping[bytes, bytes]) -> bool:
        """Writes the answer, if there is one at once."""
        if not self._whole or self.flow.write_paused or self.transport.is_closing():
            return False
        answer = self._answer(fields, self._body)
        if answer is None:
            return False
        self._fields, self._body = None, b""  # the connection may stay open and idle
        if self.server_state.default_headers is not self._default_headers:  # the date: once a second
            self._default_headers = self.server_state.default_headers
            lines = (b"%b: %b\r\n" % header for header in self._default_headers)
            self._head = b"HTTP/1.1 200 OK\r\n" + b"".join(lines)
        self.transport.write(self._head + answer)
        self.on_response_complete()
        return True

    def _start_cycle(self) -> None:
        """Makes the request's ASGI cycle, as uvicorn does when it reads the request."""
        url, headers, held, body = self.url, self.headers, self._fields is not None, self._body
        self._fields, self._body = None, b""
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
        if held and body:
            super().on_body(body)
        if held and self._whole:
            super().on_message_complete()
