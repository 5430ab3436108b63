"""uvicorn's HTTP/1.1 protocol that also takes the body of a request which offers another protocol.

Java's HttpClient sends every request over HTTP/1.1 with ``Upgrade: h2c``. A server may ignore the offer (RFC 9110,
section 7.8) and must then answer the request. httptools stops at the offer, though, and would drop the body.
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OFFER = (b"upgrade", b"http2-settings", b"connection")


class HttpProtocol(HttpToolsProtocol):
    """Reads a request that offers another protocol as if it did not."""

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the connection."""
        self._unset_keepalive_if_required()
        rest = memoryview(data)  # many requests may have come at once; their rest is not copied for each
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as stop:
                    rest = rest[stop.args[0] :]
                    if self.parser.get_method() == b"CONNECT":  # being answered; what follows belongs to no request
                        return
                    self._read_head_again()
                else:
                    return
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def on_headers_complete(self) -> None:
        """Starts the request, unless it will be read again without its offer."""
        if not self._offers():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Ends the request's body."""
        if not self._offers():
            super().on_message_complete()

    def _offers(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _read_head_again(self) -> None:
        """Gives the request's head, without the offer, to a new parser, which then takes the body."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        kept = [(name, value) for name, value in self.headers if name not in _OFFER]
        if any(name == b"connection" and b"close" in value.lower() for name, value in self.headers):
            kept.append((b"connection", b"close"))
        lines = [b"%b %b HTTP/%b" % (method, self.url, version), *(b"%b: %b" % header for header in kept)]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n")
