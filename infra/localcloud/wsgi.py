"""An HTTP/1.1 server with persistent connections for moto's WSGI application.

Werkzeug's own handler closes every connection and waits 10 ms after each request for stray bytes: too slow for a
stream of records.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from http.client import responses
from typing import IO, Any, cast
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer, make_server
from werkzeug.wsgi import LimitedStream

DRAIN_LIMIT = 64 * 1024 * 1024
# The key of a request's headers, as (name, value) in the order and spelling of the client, in its WSGI environment.
HEADERS_KEY = "nightjar.headers"
_BLOCK = 1 << 20
# A file's part up to this size is sent with the headers, in one write.
_SMALL = 64 * 1024


class FileBody:
    """A part of an open file as the body of an answer. The handler sends it without reading it into memory."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self.file = file
        self.start = start
        self.length = length

    def __iter__(self) -> Iterator[bytes]:
        """Yields the part in blocks, for whoever cannot send a file."""
        self.file.seek(self.start)
        left = self.length
        while left and (block := self.file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


class HeldResponse:
    """A ``start_response`` that keeps what it is called with."""

    start: tuple[str, list[tuple[str, str]]]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        """Keeps the status and the headers."""
        self.start = status, headers


class Handler(MotoRequestHandler):
    """Answers requests on one connection until the client closes it or is silent for ``timeout`` seconds."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 300

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing: requests are in requests.jsonl."""

    def parse_request(self) -> bool:
        """Reads the request's head. A client that uses the server as its HTTP proxy writes the whole URL there."""
        if not super().parse_request():
            return False
        url = urlsplit(self.path)
        if url.scheme == "http" and url.netloc:
            del self.headers["Host"]
            self.headers["Host"] = url.netloc
            self.path = self.path.split(url.netloc, 1)[1]
            self.path = self.path if self.path.startswith("/") else f"/{self.path}"
        return True

    def run_wsgi(self) -> None:
        """Answers one request and leaves the connection at the beginning of the next."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = environ = self.make_environ()
        environ[HEADERS_KEY] = self.headers.items()
        if not environ.get("wsgi.input_terminated"):
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"] = LimitedStream(cast(IO[bytes], self.rfile), length)
            environ["wsgi.input_terminated"] = True
        body = environ["wsgi.input"]
        held = HeldResponse()
        try:
            parts = self.server.app(environ, held)
            try:
                self._answer(*held.start, parts)
            finally:
                if close := getattr(parts, "close", None):
                    close()
            self._drain(body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception:
            # Only an error in our middleware reaches this point; moto's own are answered as refusals.
            traceback.print_exc(file=sys.stderr)
            self.close_connection = True

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code = int(status.split(None, 1)[0])
        names = {name.lower() for name, _ in headers}
        bodiless = self.command == "HEAD" or code in (204, 304) or code < 200
        chunked = not bodiless and "content-length" not in names
        self.send_response(code, responses.get(code, ""))
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, str(value))
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if isinstance(parts, FileBody) and parts.length > _SMALL and not bodiless:
            self.wfile.flush()
            self.connection.sendfile(parts.file, parts.start, parts.length)
            return
        for part in parts:
            if part and not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _drain(self, body: IO[bytes]) -> None:
        """Reads what the application left of the request's body: the next request begins behind it."""
        left = DRAIN_LIMIT
        while left > 0:
            chunk = body.read(min(left, 1 << 20))
            if not chunk:
                return
            left -= len(chunk)
        self.close_connection = True


def serve(host: str, port: int, application: WSGIApplication) -> ThreadedWSGIServer:
    """Opens a threaded server that listens; the caller calls its ``serve_forever``."""
    server = make_server(host, port, application, threaded=True, request_handler=Handler)
    assert isinstance(server, ThreadedWSGIServer)
    server.daemon_threads = True
    return server
