"""A local cloud that a test starts: a process of the server and boto3 clients for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config as ClientConfig

from infra.laptop.free_ports import free_port
from infra.localcloud.request_file import read
from tests.support import warm_cloud, warm_process

ROOT = Path(__file__).parents[2]
VENVS = Path(os.environ.get("NIGHTJAR_VENVS", ROOT / ".nightjar" / "venvs"))
JARS = Path(os.environ.get("NIGHTJAR_S3A_JARS", ROOT / ".nightjar" / "jars"))
CLASS_DATA = VENVS.parent / "class-data" / "spark.jsa"
ACCOUNT = warm_cloud.ACCOUNT
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/test-job"
# The roles that tests use; they may do everything, and every service may assume them.
ROLES = (
    "test-job", "glue-job", "job", "training", "task", "task-execution", "service", "service-execution", "execution",
    "reader", "athena-reader",
)  # fmt: skip
START_SECONDS = 180  # a busy machine takes long; a quiet one 2
WAIT_SECONDS = 180  # a Spark job that starts beside three other suites takes more than a minute


@dataclass(frozen=True)
class Cloud:
    """A running server."""

    endpoint: str
    state: Path
    process: subprocess.Popen[bytes] | warm_process.ForkedProcess

    @property
    def operator(self) -> dict[str, str]:
        """The operator's key, as boto3 takes it."""
        key = json.loads((self.state / "operator.json").read_text())
        return {"aws_access_key_id": key["access_key_id"], "aws_secret_access_key": key["secret_access_key"]}

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client with the operator's keys, unless ``options`` says otherwise."""
        keys = self.operator
        config = ClientConfig(retries={"mode": "standard"}, s3={"addressing_style": "path"})
        make: Any = boto3.client  # the stubs know literal names of services only
        return make(
            service, **{"endpoint_url": self.endpoint, "region_name": REGION, "config": config, **keys, **options}
        )

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far, as recorded."""
        return list(read(self.state))

    @staticmethod
    def wait_until(condition: Callable[[], Any], *, seconds: float = WAIT_SECONDS, every: float = 0.2) -> Any:
        """The first true value of ``condition()``; fails after ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(every)
        raise AssertionError(f"the condition did not become true within {seconds} s")

    def environment(self) -> dict[str, str]:
        """The variables with which Airflow's hooks and boto3's defaults talk to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.operator["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.operator["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
        }


def base_config() -> dict[str, Any]:
    """A configuration that works in this checkout; :func:`running_cloud` adds ``state`` and ``port``."""
    return {
        "glue": {
            "python": str(VENVS / "glue" / "bin" / "python"),
            "jars": sorted(str(jar) for jar in JARS.glob("*.jar")),
            "driver_memory": "1g",
            "class_data": str(CLASS_DATA),
        },
        "images": {},
    }


@contextmanager
def running_cloud(folder: Path, config: dict[str, Any], *, root: Path | None = None) -> Iterator[Cloud]:
    """Starts a server with this configuration in ``folder``, and stops it; fails if it does not stop on SIGTERM.

    It is forked from a process that has imported this tree's code. With ``root`` a new interpreter starts the code of
    that tree, as ``make run`` does.
    """
    port = config.get("port") or free_port()
    file = folder / "cloud.yaml"
    file.write_text(yaml.safe_dump({**config, "port": port, "state": str(folder / "state")}))
    process = _start(["--config", str(file)], folder / "server.log", root)
    cloud = Cloud(f"http://127.0.0.1:{port}", folder / "state", process)
    try:
        _wait_ready(cloud, folder / "server.log")
        _create_roles(cloud)
        yield cloud
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _start(arguments: list[str], log: Path, root: Path | None) -> subprocess.Popen[bytes] | warm_process.ForkedProcess:
    python = VENVS / "localcloud" / "bin" / "python"
    if not python.exists():
        python = Path(sys.executable)
    if root is None and warm_process.AVAILABLE:
        return warm_process.parent(python, warm_cloud.MODULE).start(arguments, log, dict(os.environ))
    with log.open("wb") as out:
        return subprocess.Popen(
            [str(python), "-m", "infra.localcloud", *arguments], cwd=root or ROOT, stdout=out, stderr=subprocess.STDOUT
        )


def _wait_ready(cloud: Cloud, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while cloud.process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{cloud.endpoint}/_nightjar/health", timeout=30) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The local cloud did not start:\n{log.read_text()[-3000:]}")


def _create_roles(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    services = ("glue", "sagemaker", "ecs-tasks", "ecs", "firehose", "lambda", "states", "events", "airflow")
    principals = {"AWS": ACCOUNT, "Service": [f"{service}.amazonaws.com" for service in services]}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    known = {role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
    for name in sorted(set(ROLES) - known):  # a server that was started again has them
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
        iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=_document(everything))


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
