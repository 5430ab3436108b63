"""Loopback addresses for tasks, in place of the network interface that each Fargate task has."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Collection

from infra.localcloud.ecs.errors import NoAddressError

FIRST, LAST = 10, 250


class AddressPool:
    """The addresses 127.0.0.10 to 127.0.0.250.

    They are used in turn, so an address that was just returned is not reused while a client may still connect to it.
    """

    def __init__(self, first: int = FIRST, last: int = LAST) -> None:
        self._all = [f"127.0.0.{number}" for number in range(first, last + 1)]
        self._next = 0
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def take(self, ports: Collection[int]) -> str:
        """Reserves an address on which all ``ports`` are free, also of other processes.

        Raises:
            NoAddressError: There is none.
        """
        with self._lock:
            for step in range(len(self._all)):
                at = (self._next + step) % len(self._all)
                address = self._all[at]
                if address not in self._taken and all(_is_free(address, port) for port in ports):
                    self._next = at + 1
                    self._taken.add(address)
                    return address
        raise NoAddressError(
            f"no address of {self._all[0]} to {self._all[-1]} has port(s) {sorted(ports)} free: "
            "stop other tasks or processes"
        )

    def give_back(self, address: str) -> None:
        """Returns an address to the pool."""
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
