"""A server in front of a PostgreSQL that behaves as poolers do: it ends TLS and refuses start-up parameters."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The parameters that PgBouncer accepts (its manual, ignore_startup_parameters).
ACCEPTED = {
    "user",
    "database",
    "application_name",
    "client_encoding",
    "datestyle",
    "timezone",
    "standard_conforming_strings",
    "intervalstyle",
}
SSL_REQUEST = 80877103


@contextmanager
def pooler(target: str, tls: tuple[Path, Path] | None = None) -> Iterator[int]:
    """Listens on loopback; yields the port.

    Args:
        target: Path of the server's Unix socket.
        tls: Files with certificate and key, or None to refuse TLS.
    """
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, target, context), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, target: str, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, target, context), daemon=True).start()


def _serve(client: Any, target: str, context: ssl.SSLContext | None) -> None:
    try:
        packet = _packet(client)
        if struct.unpack("!I", packet[:4])[0] == SSL_REQUEST:
            client.sendall(b"S" if context else b"N")
            if context:
                client = context.wrap_socket(client, server_side=True)
            packet = _packet(client)
        names = packet[4:].rstrip(b"\0").split(b"\0")[::2]
        if refused := sorted(name.decode() for name in names if name.decode().lower() not in ACCEPTED):
            text = b"SFATAL\0C08P01\0M" + f"unsupported startup parameter: {', '.join(refused)}".encode() + b"\0\0"
            client.sendall(b"E" + struct.pack("!I", len(text) + 4) + text)
            client.close()
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(target)
        server.sendall(struct.pack("!I", len(packet) + 4) + packet)
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)
    except (OSError, struct.error):
        client.close()


def _packet(client: Any) -> bytes:
    """One packet of the start-up, without its length."""
    (length,) = struct.unpack("!I", client.recv(4))
    return client.recv(length - 4)


def _copy(source: Any, sink: Any) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, sink):
            end.close()
