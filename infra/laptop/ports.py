"""Refuses a taken port of the loopback address, and names the process that has it."""

from __future__ import annotations

import psutil

from infra.laptop.config import LaptopError
from infra.laptop.free_ports import is_free


def require_free(port: int, setting: str, what: str) -> None:
    """Checks that a port is free for the server ``what``.

    Raises:
        LaptopError: The port is taken. The text names the variable ``setting`` and, if possible, the process.
    """
    if is_free(port):
        return
    raise LaptopError(
        f"Port {port} is taken{holder(port)}; {what} needs it. "
        f"Stop that process, or choose another port: {setting}=<port> make run"
    )


def holder(port: int) -> str:
    """`` by <name> (pid <n>)`` for the process that listens on the port, or an empty text when the system hides it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, PermissionError):  # macOS shows them to root only
        return ""
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            try:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return ""
    return ""
