"""A DNS server of one zone: the addresses of the healthy targets of a target group.

Caddy resolves its upstreams with it, so targets come and go without a reload of Caddy. A reload closes idle keep-alive
connections, and a client that is just writing to one sees a failed request.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from infra.localcloud.background import Background

Lookup = Callable[[str], list[str]]
_TYPE_A, _CLASS_IN = 1, 1
_RESPONSE_FLAGS = 0x8580  # response, authoritative, recursion desired and available
_NAME_ERROR = 3
_HEADER_BYTES = 12
_BEAT_SECONDS = 10.0


class NameServer:
    """Answers DNS queries for A records over UDP on 127.0.0.1.

    Args:
        lookup: Returns the IPv4 addresses of a name; an empty list is answered as NXDOMAIN.
        background: Runs the server's thread.
    """

    def __init__(self, lookup: Lookup, background: Background) -> None:
        self._lookup = lookup
        self._background = background
        self._closed = False
        self._socket = _socket(0)
        self.port: int = self._socket.getsockname()[1]
        self._loop = background.loop("elb-names", self._answer_one)

    def close(self) -> None:
        """Ends the thread and closes the socket."""
        self._closed = True
        self._background.remove(self._loop)
        self._socket.close()

    def _answer_one(self) -> float:
        try:
            query, peer = self._socket.recvfrom(512)
        except TimeoutError:
            return 0
        except OSError:
            if self._closed:
                return 0
            # Caddy's configuration has the port, so the new socket gets the same one.
            self._socket.close()
            self._socket = _socket(self.port)
            raise
        try:
            reply = answer(query, self._lookup)
        except (struct.error, IndexError, UnicodeDecodeError):
            return 0
        self._socket.sendto(reply, peer)
        return 0


def _socket(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(_BEAT_SECONDS)
    opened.bind(("127.0.0.1", port))
    return opened


def answer(query: bytes, lookup: Lookup) -> bytes:
    """The reply to one DNS query with one question (RFC 1035, section 4).

    Raises:
        struct.error, IndexError, UnicodeDecodeError: The query is malformed.
    """
    (query_id,) = struct.unpack(">H", query[:2])
    labels, at = [], _HEADER_BYTES
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    question = query[_HEADER_BYTES : at + 5]
    record_type, _ = struct.unpack(">2H", query[at + 1 : at + 5])
    addresses = lookup(".".join(labels).lower())
    code = 0 if addresses else _NAME_ERROR
    records = [struct.pack(">HHHIH", 0xC00C, _TYPE_A, _CLASS_IN, 0, 4) + socket.inet_aton(a) for a in addresses]
    if record_type != _TYPE_A:
        records = []
    header = struct.pack(">6H", query_id, _RESPONSE_FLAGS | code, 1, len(records), 0, 0)
    return header + question + b"".join(records)
