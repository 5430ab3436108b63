from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.laptop import free_ports
from infra.laptop.free_ports import HOST, free_port

ROOT = Path(__file__).resolve().parents[2]


def test_a_port_is_outside_the_range_of_outgoing_connections() -> None:
    bounds = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(bounds.read_text().split()[0]) if bounds.is_file() else 49152
    assert all(free_port() < lowest for _ in range(20))


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    monkeypatch.setattr(free_ports, "RANGE", range(first, first + 1))
    with pytest.raises(OSError, match="No port from"):
        free_port()


@pytest.mark.parametrize("following", [0, 2])
def test_a_port_with_a_server_is_not_given(monkeypatch: pytest.MonkeyPatch, following: int) -> None:
    with socket.create_server((HOST, 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(free_ports, "RANGE", range(taken - following, taken + 1))
        with pytest.raises(OSError, match="No port from"):
            free_port(following)
        monkeypatch.setattr(free_ports, "RANGE", range(taken - following, taken + 100))
        assert taken < free_port(following) < taken + 100


def test_the_ports_after_it_are_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port(following=2)
    monkeypatch.setattr(free_ports, "RANGE", range(first, first + 3))
    with pytest.raises(OSError, match="No port from"):
        free_port()


def test_ports_that_cannot_all_be_had_stay_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(free_ports, "RANGE", range(taken - 9, taken - 8))
        with pytest.raises(OSError, match="No port from"):
            free_port(following=9)
    monkeypatch.setattr(free_ports, "RANGE", range(taken - 9, taken + 1))
    assert free_port(following=0) in range(taken - 9, taken + 1)


def test_a_port_of_another_process_is_not_given_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from infra.laptop.free_ports import free_port; print(free_port(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        monkeypatch.setattr(free_ports, "RANGE", range(port, port + 1))
        with pytest.raises(OSError, match="No port"):
            free_port()
        other.communicate()
    assert free_port() == port
