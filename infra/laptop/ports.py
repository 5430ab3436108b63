"""Ports of the loopback address: whether one is free, and which process uses one."""

from __future__ import annotations

import socket

import psutil

from infra.laptop.config import LaptopError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


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
