"""The other workers' listening sockets: while a worker hangs, the others accept its connections.

The kernel gives each worker its share of new connections, whether it accepts them or not. Without this, a share of all
requests would wait until the supervisor has killed the worker.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from serving.listeners import BACKLOG, Group, close

# Heartbeats come every 0.1 s. Accepting for a worker that is only slow does no harm.
SUSPECT_SECONDS = 1.0


@dataclass
class Neighbours:
    """What a worker knows of the others.

    Attributes:
        number: This worker.
        listeners: The sockets of every worker, by its number.
        heartbeats: The last heartbeat of every worker (``time.monotonic()``).
    """

    number: int
    listeners: Sequence[Group]
    heartbeats: ctypes.Array[ctypes.c_double]
    _accepting: dict[int, list[asyncio.Server]] = field(default_factory=dict)

    async def look(self, now: float, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Begins to accept for workers that hang, and ends it for those that have recovered or were replaced.

        Args:
            now: ``time.monotonic()``.
            protocol: Makes the protocol of a connection.
        """
        for number, group in enumerate(self.listeners):
            hangs = number != self.number and now - self.heartbeats[number] > SUSPECT_SECONDS
            if hangs and number not in self._accepting:
                loop = asyncio.get_running_loop()
                # Copies, so that the end of a server closes none of the sockets.
                self._accepting[number] = [
                    await loop.create_server(protocol, sock=socket.dup(), backlog=BACKLOG) for socket in group
                ]
            elif not hangs and number in self._accepting:
                for server in self._accepting.pop(number):
                    server.close()

    def close(self) -> None:
        """Closes this process's copies of the others' sockets: else connections would wait for nobody."""
        for servers in self._accepting.values():
            for server in servers:
                server.close()
        self._accepting.clear()
        close(group for number, group in enumerate(self.listeners) if number != self.number)
