"""Whether a port is free, and who has it when it is not."""

from __future__ import annotations

import socket

import psutil

from infra.laptop.config import LaptopError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def require_free(port: int, setting: str, what: str) -> None:
    """Raises :class:`LaptopError` that names the setting and, where it can be seen, the process that has the port."""
    if is_free(port):
        return
    raise LaptopError(
        f"Port {port} is taken{holder(port)}; {what} needs it. "
        f"Stop that process, or choose another port: {setting}=<port> make run"
    )


def holder(port: int) -> str:
    """`` by <name> (pid n)`` of the listener, or nothing when the system does not tell."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, PermissionError):  # macOS tells only root
        return ""
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return ""
    return ""
