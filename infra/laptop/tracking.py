"""The MLflow server, which runs where ``NIGHTJAR_TRACKING`` is set: on SQLite, with its artifacts in the local S3."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import httpx

from infra.laptop import parts
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.bootstrap.roles import Role, create_role
from infra.laptop.config import REGION, ROOT, LaptopConfig, LaptopError
from infra.laptop.ports import require_free
from infra.laptop.processes import Supervisor

NAME = parts.TRACKING
READY_SECONDS = 180
ARTIFACTS = "mlflow/"  # as in infra/terraform/modules/training/tracking.tf and in the role's policy
# Without these the server starts a scheduler of evaluation jobs with its workers, and reports its use to its makers.
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


def start(config: LaptopConfig, supervisor: Supervisor, aws: Aws) -> None:
    """Starts the server, or stops it where it is switched off. Does not wait for it.

    Raises:
        LaptopError: It is not installed, or its port is taken.
    """
    running = supervisor.find(NAME)
    if not config.tracking:
        if running or supervisor.record(NAME):
            supervisor.stop(NAME)
        return
    if not config.python("tracking").is_file():
        raise LaptopError("MLflow is not installed here. `make tracking` installs it and starts it with the stack.")
    create_role(aws, Role("mlflow"))
    argv, env = command(config), environment(config)
    digest = hashlib.sha256(json.dumps([argv, sorted(env.items())]).encode()).hexdigest()
    if running and running.digest == digest:
        return
    if running:
        supervisor.stop(NAME)
    require_free(config.tracking_port, "NIGHTJAR_TRACKING_PORT", "MLflow")
    folder = config.state / "mlflow"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "aws-config").write_text(_aws_config(config))
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    supervisor.start(NAME, argv, env={**inherited, **env}, cwd=ROOT, digest=digest)


def command(config: LaptopConfig) -> list[str]:
    """The server's command line: one worker, on the loopback address."""
    database = config.state / "mlflow" / "mlflow.db"
    return [
        *(str(config.python("tracking")), "-m", "mlflow", "server", "--host", "127.0.0.1"),
        *("--port", str(config.tracking_port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{database}"),
        *("--artifacts-destination", f"s3://{NAMES.artifact}/{ARTIFACTS}"),
    ]


def environment(config: LaptopConfig) -> dict[str, str]:
    """The server's environment. It gets temporary credentials of the role mlflow, and new ones before they end."""
    return {
        **QUIET,
        "AWS_CONFIG_FILE": str(config.state / "mlflow" / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": config.endpoint,
        "MLFLOW_S3_ENDPOINT_URL": config.endpoint,
        "NIGHTJAR_HOME": str(config.home),
        "NIGHTJAR_RUN": str(config.state),
        "NIGHTJAR_CLOUD_PORT": str(config.cloud_port),
    }


def wait_until_ready(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Waits until the server answers.

    Raises:
        LaptopError: It died, or did not answer in time.
    """
    if config.tracking:
        supervisor.wait_ready((NAME,), lambda: () if answers(config) else (NAME,), READY_SECONDS, "MLflow")


def answers(config: LaptopConfig) -> bool:
    """Whether the server answers."""
    try:
        return httpx.get(f"{config.tracking_url}/health", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _aws_config(config: LaptopConfig) -> str:
    python, role = Path(config.python("laptop")), Role("mlflow").name
    return f'[default]\nregion = {REGION}\ncredential_process = "{python}" -m infra.laptop.role_credentials {role}\n'
