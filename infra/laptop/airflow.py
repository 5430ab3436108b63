"""Airflow on the laptop: its environment variables, its database and its four processes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import subprocess
from pathlib import Path

import httpx
import psycopg

from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Resources
from infra.laptop.config import REGION, ROOT, LaptopConfig, LaptopError
from infra.laptop.ports import require_free
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor, tail
from infra.laptop.runs import Airflow

API = "airflow-api-server"
PROCESSES = {
    API: ["api-server", "--workers", "1"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-dag-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer", "--skip-serve-logs"],
}
POOLS = {"nightjar_publish": (1, "One publish at a time")}
DATABASE = "airflow"
# MWAA renews its credentials by itself; those in environment variables must last as long as Airflow runs.
SESSION_SECONDS = 365 * 24 * 3600


def environment(config: LaptopConfig, aws: Aws, resources: Resources, postgres: Postgres, cloud: str) -> dict[str, str]:
    """The environment variables of every Airflow process.

    ``cloud`` identifies one start of the local cloud, which forgets access keys when it stops.
    """
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")
    home = config.state / "airflow"
    keys = _keys(config)
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        **resources.settings.to_env(),
        **_credentials(config, aws, resources.roles["airflow"], cloud),
        "AWS_ENDPOINT_URL": config.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
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
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # Upper bound on the delay until the end of a task's process is noticed. If its trigger fires earlier, the
        # scheduler takes the deferred task for killed, and it waits for its retry (apache/airflow#72716).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
    }


def start(config: LaptopConfig, supervisor: Supervisor, postgres: Postgres, env: dict[str, str]) -> None:
    """Migrates the database, creates the pools, starts the processes that do not run, and waits until tasks can start.

    A process with another environment than ``env`` is restarted.

    Raises:
        LaptopError: The port is taken, or Airflow did not become ready.
    """
    digest = hashlib.sha256(json.dumps(env, sort_keys=True).encode()).hexdigest()
    outdated = [name for name in PROCESSES if (process := supervisor.find(name)) and process.digest != digest]
    supervisor.stop(*outdated)
    if supervisor.find(API) is None:
        require_free(config.airflow_port, "NIGHTJAR_AIRFLOW_PORT", "Airflow")
    home = Path(env["AIRFLOW_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    if not all(supervisor.find(name) for name in PROCESSES):
        _command(config, env, "db", "migrate")
        with psycopg.connect(postgres.url(DATABASE), autocommit=True) as connection:
            connection.execute((Path(__file__).parent / "airflow_clock.sql").read_text())
    for name, arguments in PROCESSES.items():
        supervisor.start(
            name, [config.python("airflow"), "-m", "airflow", *arguments], env=env, cwd=home, digest=digest
        )
    supervisor.wait_ready(API, lambda: _healthy(config), 120, "Airflow's API server")
    # Airflow creates the execution API at its first request. Without this one, the first task waits 20 to 30 seconds.
    httpx.get(f"{config.airflow_url}/execution/health", timeout=60)
    client = Airflow(config.airflow_url)
    for pool, (slots, description) in POOLS.items():
        client.put_pool(pool, slots, description)


def _healthy(config: LaptopConfig) -> bool:
    try:
        answer = httpx.get(f"{config.airflow_url}/api/v2/monitor/health", timeout=5)
    except httpx.HTTPError:
        return False
    if answer.status_code != 200:
        return False
    parts = answer.json()
    return all(
        parts[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "triggerer", "dag_processor")
    )


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
        _write_private(file, {"fernet": fernet, "api": secrets.token_hex(32), "jwt": secrets.token_hex(32)})
    return json.loads(file.read_text())


def _credentials(config: LaptopConfig, aws: Aws, role_arn: str, cloud: str) -> dict[str, str]:
    """Temporary credentials of the airflow role.

    They are reused as long as the local cloud knows them: with new ones a second `make run` would restart Airflow.
    """
    file = config.state / "airflow-credentials.json"
    if file.is_file():
        kept = json.loads(file.read_text())
        if kept["cloud"] == cloud:
            return kept["env"]
    answer = aws.sts.assume_role(RoleArn=role_arn, RoleSessionName="airflow", DurationSeconds=SESSION_SECONDS)
    keys = answer["Credentials"]
    env = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    _write_private(file, {"cloud": cloud, "env": env})
    return env


def _write_private(file: Path, value: dict) -> None:
    file.touch(mode=0o600)
    file.write_text(json.dumps(value))
