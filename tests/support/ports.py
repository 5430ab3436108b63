"""Whether a server listens on a port."""

from __future__ import annotations

import socket


def accepts_connections(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server listens on this port."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
