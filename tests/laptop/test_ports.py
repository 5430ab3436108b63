from __future__ import annotations

import os
import socket

import pytest

from infra.laptop import ports
from infra.laptop.config import LaptopError
from infra.laptop.free_ports import HOST, free_port


def test_a_taken_port_names_the_setting_and_the_process() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(LaptopError, match=r"NIGHTJAR_CLOUD_PORT=.*") as caught:
            ports.require_free(port, "NIGHTJAR_CLOUD_PORT", "the local AWS endpoint")
        assert str(port) in str(caught.value)
        assert f"pid {os.getpid()}" in str(caught.value)


def test_a_free_port_is_no_error() -> None:
    ports.require_free(free_port(), "NIGHTJAR_CLOUD_PORT", "the local AWS endpoint")
