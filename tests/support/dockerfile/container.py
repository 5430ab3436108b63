"""Starts the command of an image as its user, with a root that cannot be written to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from include.model import bundle
from infra.laptop.free_ports import free_port
from tests.support.dockerfile.build import Image
from tests.support.dockerfile.sandbox import Bind, Sandbox, children


def sandbox(image: Image, *binds: Bind, **environment: str) -> Sandbox:
    """How an engine would run a command of this image with ``--read-only --tmpfs /tmp``."""
    variables = {**image.environment, **environment}
    return Sandbox(image.root, variables, image.workdir, image.user, read_only=True, binds=binds)


def run_job(image: Image, ml: Path, *arguments: str) -> tuple[int, str]:
    """Runs the image's entry point with a folder as ``/opt/ml``, as SageMaker does; returns exit code and output."""
    for path in (ml, *ml.rglob("*")):
        os.chown(path, *map(int, image.user.split(":")))
    return sandbox(image, Bind(ml, "/opt/ml", read_only=False)).run([*image.entrypoint, *(arguments or image.command)])


class Service:
    """The command of the service's image, with a bundle: a context manager that ends it."""

    def __init__(self, image: Image, folder: Path, packed: bytes, workload: str) -> None:
        path = folder / "bundle.tar.gz"
        path.write_bytes(packed)
        self.port = free_port()
        self.log = folder / "service.log"
        self.image = image
        self.sandbox = sandbox(
            image,
            Bind(path, "/mnt/bundle.tar.gz"),
            BUNDLE_URI="file:///mnt/bundle.tar.gz",
            DEVELOPMENT="true",
            BUNDLE_DIGEST=bundle.sha256_hex(packed),
            MODEL_VERSION="1",
            WORKLOAD=workload,
            HOST="127.0.0.1",
            PORT=str(self.port),
            EXIT_DELAY_SECONDS="0",
        )

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = self.sandbox.start([*self.image.entrypoint, *self.image.command], log.fileno())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> int | None:
        """The status of an answer, or None while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def until_ready(self) -> None:
        """Waits until the model is served.

        Raises:
            AssertionError: The service ended. The text has its log.
        """
        end = time.monotonic() + 120
        while self.get("/ready") != 200:
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)

    def health(self) -> int:
        """The exit code of the image's health check, run beside the service."""
        return self.sandbox.run(self.image.health)[0]

    def user_ids(self) -> list[str]:
        """Real, effective, saved and file-system user id of process 1."""
        (pid,) = children(self.process.pid)
        status = Path(f"/proc/{pid}/status").read_text()
        return next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]

    def stop(self) -> int:
        """Sends the image's stop signal to process 1; returns the exit code."""
        (pid,) = children(self.process.pid)
        os.kill(pid, getattr(signal, self.image.stop_signal))
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.image.stop_signal} does not end the service:\n{self.log.read_text()}"
            ) from None
