"""Airflow on the laptop: its environment variables, its database and its four processes."""

from __future__ import annotations

import base64
import configparser
import hashlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
from botocore.exceptions import ClientError

from include.settings import Settings
from infra.laptop.aws import Aws
from infra.laptop.config import REGION, ROOT, LaptopConfig, LaptopError
from infra.laptop.ports import require_free
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor, tail, write_private
from infra.laptop.runs import Airflow

API = "airflow-api-server"
PROCESSES = {
    API: ["api-server", "--workers", "1"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-dag-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer", "--skip-serve-logs"],
}
# It can sleep 10 seconds before it sees that its only child has ended. Triggers live in the database.
KILL_SOON = ("airflow-triggerer",)
EARLY = (API, "airflow-dag-processor")  # these start no task
# These ask PostgreSQL several things a second, and a quarter of that was the question whether it still answers. If it
# was restarted, they fail once and are restarted too. The API server asks, so that no user sees an error then.
POLLING = {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_PRE_PING": "False"}
POOLS = {"nightjar_publish": (1, "One publish at a time")}
DATABASE = "airflow"
SITE = Path(__file__).parent / "airflow_site"
CREDENTIALS = "airflow-credentials"
SESSION_SECONDS = 12 * 3600
REFRESH_SECONDS = 6 * 3600
PARSE_SECONDS = 900


def environment(config: LaptopConfig, settings: Settings, postgres: Postgres) -> dict[str, str]:
    """The environment variables of every Airflow process. They change only with the configuration."""
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")
    home = config.state / "airflow"
    keys = _keys(config)
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        **settings.to_env(),
        "AWS_SHARED_CREDENTIALS_FILE": str(config.state / CREDENTIALS),
        "AWS_ENDPOINT_URL": config.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "PYTHONPATH": f"{ROOT}:{SITE}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "nightjar_laptop.executor.EventDrivenLocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "6",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{config.airflow_url}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(config.airflow_port),
        "AIRFLOW__API__BASE_URL": config.airflow_url,
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres.url(DATABASE, "+psycopg2"),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0",  # the executor waits for events
        # Upper bound on the delay until the end of a task's process is noticed. If its trigger fires earlier, the
        # scheduler takes the deferred task for killed, and it waits for its retry (apache/airflow#72716).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "600",
        # A DAG file that was edited is parsed at once. Parsing all files takes some seconds of CPU time.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(PARSE_SECONDS),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
    }


def start_early(config: LaptopConfig, supervisor: Supervisor, postgres: Postgres, env: dict[str, str]) -> None:
    """Migrates the database and starts the processes that start no task. Does not wait for them.

    They need nothing from AWS, and the API server takes longest of all. Processes with another environment than ``env``
    are stopped.

    Raises:
        LaptopError: The port is taken, or the database cannot be migrated.
    """
    digest = _digest(env)
    outdated = [name for name in PROCESSES if (process := supervisor.find(name)) and process.digest != digest]
    supervisor.stop(*outdated, kill_soon=KILL_SOON)
    if all(supervisor.find(name) for name in PROCESSES):
        return
    if supervisor.find(API) is None:
        require_free(config.airflow_port, "NIGHTJAR_AIRFLOW_PORT", "Airflow")
    Path(env["AIRFLOW_HOME"]).mkdir(parents=True, exist_ok=True)
    _migrate(config, env, postgres)
    for name in EARLY:
        _start_process(config, supervisor, name, env)


def wait_for_api_server(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Waits until the API server answers, for users and for tasks.

    Raises:
        LaptopError: It ended, or did not answer in time.
    """
    supervisor.wait_ready(API, lambda: _health(config) is not None, 120, "Airflow's API server")
    # Airflow creates the execution API at its first request. Without this one, the first task waits for that.
    httpx.get(f"{config.airflow_url}/execution/health", timeout=60)


def start(config: LaptopConfig, supervisor: Supervisor, env: dict[str, str]) -> None:
    """Starts the other processes that do not run, creates the pools, and waits until tasks can start.

    Raises:
        LaptopError: Airflow did not become ready.
    """
    already_running = all(supervisor.find(name) for name in PROCESSES)
    for name in PROCESSES:
        _start_process(config, supervisor, name, env)
    supervisor.wait_ready(API, lambda: _healthy(config), 120, "Airflow")
    client = Airflow(config.airflow_url)
    for pool, (slots, description) in POOLS.items():
        client.put_pool(pool, slots, description)
    if already_running:  # what the DAG files import, such as a workload, may have been edited
        client.parse_dag_files()


def stop(supervisor: Supervisor) -> list[str]:
    """Stops the processes; returns the names of those that ran."""
    return supervisor.stop(*PROCESSES, kill_soon=KILL_SOON)


def _start_process(config: LaptopConfig, supervisor: Supervisor, name: str, env: dict[str, str]) -> None:
    argv: list[str | Path] = [config.python("airflow"), "-m", "airflow", *PROCESSES[name]]
    own = {} if name == API else POLLING
    supervisor.start(name, argv, env={**env, **own}, cwd=Path(env["AIRFLOW_HOME"]), digest=_digest(env))


def _digest(env: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(env, sort_keys=True).encode()).hexdigest()


def _migrate(config: LaptopConfig, env: dict[str, str], postgres: Postgres) -> None:
    """Creates Airflow's tables or brings them to this version; quick when they are of this version."""
    version = hashlib.sha256((ROOT / "requirements" / "airflow.txt").read_bytes()).hexdigest()
    migrated = config.state / "airflow-database.json"
    with psycopg.connect(postgres.url(DATABASE), autocommit=True) as connection:
        present = connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,)
        if not present or not migrated.is_file() or json.loads(migrated.read_text())["version"] != version:
            _command(config, env, "db", "migrate")
            write_private(migrated, {"version": version})
        for script in ("airflow_clock.sql", "airflow_wakeup.sql"):
            connection.execute((Path(__file__).parent / script).read_text())


def _health(config: LaptopConfig) -> dict[str, Any] | None:
    """What the API server says of each part of Airflow; None while it does not answer."""
    try:
        answer = httpx.get(f"{config.airflow_url}/api/v2/monitor/health", timeout=5)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.status_code == 200 else None


def _healthy(config: LaptopConfig) -> bool:
    parts = _health(config)
    needed = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return parts is not None and all(parts[part]["status"] == "healthy" for part in needed)


def _command(config: LaptopConfig, env: dict[str, str], *arguments: str) -> None:
    log = config.logs / f"airflow-{arguments[0]}.log"
    with log.open("wb") as sink:
        argv = [str(config.python("airflow")), "-m", "airflow", *arguments]
        code = subprocess.run(
            argv, env=env, cwd=env["AIRFLOW_HOME"], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        ).returncode
    if code:
        raise LaptopError(f"`airflow {' '.join(arguments)}` failed with exit code {code}. Its log:\n{tail(log)}")


def _keys(config: LaptopConfig) -> dict[str, str]:
    """Airflow's secrets, created once: what they encrypted or signed must be readable after a restart."""
    file = config.state / "airflow-keys.json"
    if not file.is_file():
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(file, {"fernet": fernet, "api": secrets.token_hex(32), "jwt": secrets.token_hex(32)})
    return json.loads(file.read_text())


def refresh_credentials(config: LaptopConfig, aws: Aws, role_arn: str) -> None:
    """Writes temporary credentials of the airflow role to a file, unless those in it are still good.

    A file, because Airflow reads it for every task: new credentials need no restart.
    """
    file = config.state / CREDENTIALS
    if file.is_file() and time.time() - file.stat().st_mtime < REFRESH_SECONDS and _are_valid(config, file):
        return
    keys = aws.sts.assume_role(RoleArn=role_arn, RoleSessionName="airflow", DurationSeconds=SESSION_SECONDS)[
        "Credentials"
    ]
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(
        f"[default]\naws_access_key_id = {keys['AccessKeyId']}\naws_secret_access_key = {keys['SecretAccessKey']}\n"
        f"aws_session_token = {keys['SessionToken']}\n"
    )
    partial.replace(file)


def _are_valid(config: LaptopConfig, file: Path) -> bool:
    """Whether the local cloud takes the credentials for a session of the role."""
    parser = configparser.ConfigParser()
    parser.read(file)
    create: Callable[..., Any] = boto3.client  # its type has one overload for each literal service name
    keys = dict(parser["default"])
    try:
        identity = create("sts", endpoint_url=config.endpoint, region_name=REGION, **keys).get_caller_identity()
    except ClientError:
        return False
    return ":assumed-role/" in identity["Arn"]
