"""A local cloud that a test stops or kills, and starts again with the same configuration and state."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.laptop.free_ports import free_port
from tests.support.localcloud import Cloud, base_config, running_cloud


class RestartedCloud:
    """A server with its own folder and port. Use it as a context manager.

    Args:
        folder: The folder of its configuration and state.
        **settings: Settings of the server's configuration.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self._config = {**base_config(), "port": free_port(), **settings}
        self._running = ExitStack()
        self.cloud: Cloud

    def __enter__(self) -> RestartedCloud:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def start(self) -> Cloud:
        """Starts the server, and returns when it is ready."""
        self.cloud = self._running.enter_context(running_cloud(self.folder, self._config))
        return self.cloud

    def end(self, number: signal.Signals) -> None:
        """Sends a signal to the server, and returns when it has ended."""
        os.kill(self.cloud.process.pid, number)
        self.cloud.process.wait(60)
        self._running.close()

    def restart(self, number: signal.Signals) -> Cloud:
        """Ends the server with a signal, and starts it again."""
        self.end(number)
        return self.start()

    def log(self) -> str:
        """What the last server printed."""
        return (self.folder / "server.log").read_text()
