"""A real server, started as a newcomer's `make run` starts it, and clients for it.

``cloud`` is one server for the whole session. A test module that needs images (or another setting) uses ``start_cloud`` for
a server of its own, in a module-scoped fixture: ``start_cloud(images={"img:1": {"python": …, "cwd": …}})``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config as ClientConfig

ROOT = Path(__file__).parents[2]
VENVS = Path(os.environ.get("NIGHTJAR_VENVS", ROOT / ".nightjar" / "venvs"))
JARS = Path(os.environ.get("NIGHTJAR_S3A_JARS", ROOT / ".nightjar" / "jars"))
ACCOUNT = "123456789012"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/test-job"
START_SECONDS = 60


@dataclass(frozen=True)
class Cloud:
    """A running server."""

    endpoint: str
    state: Path
    process: subprocess.Popen[bytes]

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client with the operator's (role-less) keys, unless ``options`` says otherwise."""
        keys = {"aws_access_key_id": "AKIANIGHTJAROPERATOR", "aws_secret_access_key": "local"}
        config = ClientConfig(retries={"mode": "standard"}, s3={"addressing_style": "path"})
        return boto3.client(
            service, **{"endpoint_url": self.endpoint, "region_name": REGION, "config": config, **keys, **options}
        )

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far, as recorded."""
        return [json.loads(line) for line in (self.state / "requests.jsonl").read_text().splitlines()]

    @staticmethod
    def wait_until(what: Callable[[], Any], *, seconds: float = 60, every: float = 0.2) -> Any:
        """The first true value of ``what()``; fails after ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := what():
                return value
            time.sleep(every)
        raise AssertionError(f"did not come true within {seconds} s")

    def environment(self) -> dict[str, str]:
        """The variables with which Airflow's hooks and boto3's defaults talk to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIANIGHTJAROPERATOR",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def base_config() -> dict[str, Any]:
    """A configuration that works in this checkout; ``state`` and ``port`` are added at the start."""
    return {
        "glue": {
            "python": str(VENVS / "glue" / "bin" / "python"),
            "jars": sorted(str(jar) for jar in JARS.glob("*.jar")),
            "driver_memory": "1g",
        },
        "images": {},
    }


@contextmanager
def running_cloud(folder: Path, config: dict[str, Any]) -> Iterator[Cloud]:
    """Starts a server with this configuration in ``folder``; ends it and fails if it does not end by itself."""
    port = config.get("port") or free_port()
    file = folder / "cloud.yaml"
    file.write_text(yaml.safe_dump({**config, "port": port, "state": str(folder / "state")}))
    python = VENVS / "localcloud" / "bin" / "python"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python if python.exists() else sys.executable), "-m", "infra.localcloud", "--config", str(file)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    cloud = Cloud(f"http://127.0.0.1:{port}", folder / "state", process)
    try:
        _wait_ready(cloud, folder / "server.log")
        yield cloud
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_ready(cloud: Cloud, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while cloud.process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{cloud.endpoint}/_nightjar/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The local cloud did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One server for all tests."""
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as running:
        yield running


@pytest.fixture(scope="module")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Cloud]]:
    """``start_cloud(images={...}, **settings)``: a server of a test module's own, ended with the module."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Cloud:
            folder = tmp_path_factory.mktemp("own-cloud")
            return stack.enter_context(running_cloud(folder, {**base_config(), **settings}))

        yield start


@pytest.fixture
def aws_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Points this process's default AWS clients (and so Airflow's hooks) at the server."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    return cloud
