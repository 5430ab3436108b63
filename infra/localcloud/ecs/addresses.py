"""Loopback addresses for tasks, as each Fargate task has a network interface of its own."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Collection

FIRST, LAST = 10, 250


class NoAddress(RuntimeError):
    """Every address of the pool is taken."""


class Addresses:
    """127.0.0.10 to 127.0.0.250, handed out in turn, so that one just given back is not reused while a client may know it."""

    def __init__(self, first: int = FIRST, last: int = LAST) -> None:
        self._all = [f"127.0.0.{number}" for number in range(first, last + 1)]
        self._next = 0
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def take(self, ports: Collection[int]) -> str:
        """An address on which all ``ports`` are free, also of processes that are not ours."""
        with self._lock:
            for step in range(len(self._all)):
                at = (self._next + step) % len(self._all)
                address = self._all[at]
                if address not in self._taken and all(_is_free(address, port) for port in ports):
                    self._next = at + 1
                    self._taken.add(address)
                    return address
        raise NoAddress(
            f"no address of {self._all[0]} to {self._all[-1]} has port(s) {sorted(ports)} free: stop other tasks or processes"
        )

    def give_back(self, address: str) -> None:
        with self._lock:
            self._taken.discard(address)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True
