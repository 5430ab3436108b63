"""HTTP/1.1 by hand, to send what other clients send, in the pieces in which they send it."""

from __future__ import annotations

import socket
import time

# What java.net.http.HttpClient sends with its default settings.
JAVA_OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\nUpgrade: h2c\r\n"


def raw_answers(port: int, *pieces: bytes, count: int = 1) -> list[tuple[int, bytes]]:
    """Sends pieces of requests on one connection; returns status and body of each of ``count`` answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        stream, found = connection.makefile("rb"), []
        for _ in range(count):
            status = int(stream.readline().split()[1])
            headers = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            found.append((status, stream.read(int(headers[b"content-length"]))))
        return found
