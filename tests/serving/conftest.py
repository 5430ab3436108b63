"""Real services: uvicorn processes on loopback, started by the command of the Dockerfile but for the address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from include.model import bundle
from tests.support.bundles import text_files

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """One process of the service."""

    def __init__(self, folder: Path, packed: bytes, **environment: str) -> None:
        self.port = _free_port()
        self.log = folder / f"service-{self.port}.log"
        path = folder / f"bundle-{self.port}.tar.gz"
        path.write_bytes(packed)
        variables = {
            "BUNDLE_URI": path.as_uri(),
            "BUNDLE_DIGEST": bundle.digest(packed),
            "MODEL_VERSION": "7",
            "WORKLOAD": "texts",
            "MAX_BODY_BYTES": "20000",
            "MAX_BATCH": "50",
            "EXIT_DELAY_SECONDS": "0",
            "PORT": str(self.port),
        }
        command = [sys.executable, "-m", "serving"]
        inherited = {name: value for name, value in os.environ.items() if name not in variables}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**inherited, **variables, **environment}, stdout=log, stderr=subprocess.STDOUT
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    def until(self, path: str, status: int) -> httpx.Response:
        """The first answer with this status."""
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

    def exit_code(self) -> int:
        return self.process.wait(60)

    def text(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
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
    """A ready service of the two-feature workload."""
    running = Service(tmp_path_factory.mktemp("service"), bundle.pack(text_files()))
    try:
        running.until("/ready", 200)
        yield running
    finally:
        running.stop()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """boto3 clients of a moto server, at which the environment points as well."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (("ENDPOINT_URL", f"http://{host}:{port}"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    yield boto3.client
    server.stop()
