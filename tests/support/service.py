"""Real services: processes on loopback, which do what the command of the Dockerfile does."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from include.model import bundle
from infra.laptop.free_ports import free_port
from tests.support import warm_process, warm_service
from tests.support.bundles import text_files
from tests.support.request_cases import GOOD

if TYPE_CHECKING:  # the service's environment, whose unit tests load this file too, does not have them
    import httpx
    import psutil

ROOT = Path(__file__).resolve().parents[2]
JSON = {"content-type": "application/json"}


class Service:
    """``python -m serving`` with a bundle; ``environment`` replaces its settings."""

    def __init__(self, folder: Path, packed: bytes, **environment: str) -> None:
        import httpx

        self.port = free_port()
        self.log = folder / f"service-{self.port}.log"
        path = folder / f"bundle-{self.port}.tar.gz"
        path.write_bytes(packed)
        variables = {
            "BUNDLE_URI": path.as_uri(),
            "DEVELOPMENT": "true",
            "BUNDLE_DIGEST": bundle.sha256_hex(packed),
            "MODEL_VERSION": "7",
            "WORKLOAD": "texts",
            "MAX_BODY_BYTES": "20000",
            "MAX_BATCH": "50",
            "EXIT_DELAY_SECONDS": "0",
            "PORT": str(self.port),
        }
        inherited = {name: value for name, value in os.environ.items() if name not in variables}
        self.process = self._start({**inherited, **variables, **environment})
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes] | warm_process.ForkedProcess:
        if warm_process.AVAILABLE:
            return warm_process.parent(Path(sys.executable), warm_service.MODULE).start([], self.log, environment)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "serving"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def until(self, path: str, status: int) -> httpx.Response:
        """The first answer with this status."""
        import httpx

        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                answer = self.client.get(path)
                if answer.status_code == status:
                    return answer
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} never answered {status}:\n{self.text()}")

    def predict(self) -> int:
        """The status of a prediction on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/predict", GOOD, JSON)
            return connection.getresponse().status
        finally:
            connection.close()

    def children(self) -> list[psutil.Process]:
        """The supervisor's child processes."""
        import psutil

        return psutil.Process(self.process.pid).children()

    def exit_code(self) -> int:
        """Waits for the end of the service."""
        return self.process.wait(60)

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text()

    def stop(self) -> None:
        """Ends the service, if it still runs."""
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class StartService(Protocol):
    """The fixture ``start``."""

    def __call__(self, packed: bytes, **environment: str) -> Service: ...


def eventually(condition: Callable[[], object], seconds: float = 30) -> bool:
    """Whether the condition becomes true within this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartService]:
    """Starts services that end with the test: ``start(packed, **environment)``."""
    started: list[Service] = []

    def one(packed: bytes, **environment: str) -> Service:
        started.append(Service(tmp_path, packed, **environment))
        return started[-1]

    yield one
    for service in started:
        service.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A ready service of the two-feature workload, for all tests."""
    running = Service(tmp_path_factory.mktemp("service"), bundle.pack(text_files()))
    try:
        running.until("/ready", 200)
        yield running
    finally:
        running.stop()
