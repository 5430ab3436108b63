"""Free ports for servers that are about to start.

A port that the operating system hands out comes from the range of outgoing connections. Between the choice and the
start of the server, another process's connection can take it. So these ports lie below that range (Linux begins at
32768, macOS at 49152), and a file lock keeps other processes of this project from choosing the same one. This module
imports only the standard library, because tests of every runtime use it.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import random
import socket
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
RANGE = range(20000, 32000)

# The open lock files of this process: a lock lasts as long as its file is open.
_locks: dict[int, int] = {}


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(following: int = 0) -> int:
    """A free TCP port of the loopback address. It is this process's until it ends: nobody else gets it from here.

    Args:
        following: How many ports after it are free and this process's too.

    Raises:
        OSError: Every port of the range is taken or reserved.
    """
    start = random.SystemRandom().randrange(len(RANGE))
    for port in itertools.chain(RANGE[start:], RANGE[:start]):
        if _reserve_all(range(port, port + 1 + following)):
            return port
    raise OSError(f"No port from {RANGE.start} to {RANGE.stop - 1} is free. Stop servers that nobody needs.")


def _reserve_all(ports: range) -> bool:
    """Reserves all of the ports, or none."""
    for port in ports:
        if port in _locks or not _reserve(port):
            break
        if not is_free(port):
            _release(port)
            break
    else:
        return True
    for reserved in range(ports.start, port):
        _release(reserved)
    return False


def _reserve(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"nightjar-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _locks[port] = lock
    return True


def _release(port: int) -> None:
    os.close(_locks.pop(port))
