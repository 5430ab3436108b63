"""The listening sockets: for each worker one per port.

With a socket of its own for each worker (SO_REUSEPORT), the kernel spreads connections evenly. The supervisor keeps all
of them open, so connections in the queue of a worker that died are answered by the worker that replaces it. The workers
do too, so they can accept for one that hangs (``serving.neighbours``).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

BACKLOG = 2048

Group = list[socket.socket]


def open_listeners(host: str, ports: list[int], workers: int) -> list[Group]:
    """Binds and listens.

    Returns:
        For each worker the sockets of all ports.

    Raises:
        OSError: A port is in use, or the address is not of this machine. The text names the address.
    """
    # SO_REUSEPORT would let two services answer on one port in turn, so each port is first tried without it.
    for port in ports:
        _listen(host, port, shared=False).close()
    return [[_listen(host, port, shared=True) for port in ports] for _ in range(workers)]


def close(groups: Iterable[Group]) -> None:
    """Closes the sockets in this process."""
    for group in groups:
        for listener in group:
            listener.close()


def _listen(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    listener.listen(BACKLOG)
    return listener
