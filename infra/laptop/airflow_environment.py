"""The environment variables with which the laptop's Airflow runs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from include.settings import Settings
from infra.laptop.aws import operator_key_file
from infra.laptop.config import REGION, ROOT, LaptopConfig
from infra.laptop.postgres import Postgres
from infra.laptop.processes import FEW_HEAPS, write_private

DATABASE = "airflow"
SITE = Path(__file__).parent / "airflow_site"
CREDENTIALS = "airflow-credentials"
JOB_PAGES = "/nightjar/jobs"  # the plugin serves them at this path, and tasks link to them
PARSE_SECONDS = 900
IMPORT_SECONDS = 240  # longest time that a DAG file takes on a busy machine
# Taken from the shell that starts Airflow. They differ from shell to shell, and no task depends on them.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")


def environment(config: LaptopConfig, settings: Settings, postgres: Postgres) -> dict[str, str]:
    """The environment variables of every Airflow process: those of the configuration, and the inherited ones."""
    home = config.state / "airflow"
    keys = _keys(config)
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        **settings.model_copy(update=_of_this_machine(config)).to_env(),
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
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{config.airflow_url}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(config.airflow_port),
        "AIRFLOW__API__BASE_URL": config.airflow_url,
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__NIGHTJAR__CONSOLE_URL": f"{config.airflow_url}{JOB_PAGES}",
        "AIRFLOW__NIGHTJAR__OPERATOR_KEY_FILE": str(operator_key_file(config)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres.url(DATABASE, "+psycopg2"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "2",  # connections that stay: PostgreSQL has a process for each
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0",  # the executor waits for events
        # Each heartbeat is a request. Where the end of a task's process is not noticed at once
        # (nightjar_laptop/supervise.py), it is the upper bound on the delay, and a deferred task whose trigger fires
        # earlier is held until then (nightjar_laptop/held_tasks.py).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "5" if hasattr(os, "pidfd_open") else "1",
        # Airflow's own limits, 30 and 50 s, are too short where several stacks share two cores.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(IMPORT_SECONDS),
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": str(IMPORT_SECONDS + 60),
        # When a trigger first asks for a run of a DAG, the triggerer sends no heartbeat for a time: 95 s were seen on
        # a busy machine. With the default, 30 s, it would be called dead.
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "180",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "600",
        # A DAG file that was edited is parsed at once. Parsing all files takes some seconds of CPU time.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(PARSE_SECONDS),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
        **FEW_HEAPS,
    }


def _of_this_machine(config: LaptopConfig) -> dict[str, str]:
    """The settings that the laptop's own configuration decides."""
    return {
        "nights_file": str(config.nights_file),
        "mlflow_tracking_uri": config.tracking_url if config.tracking else "",
    }


def digest(env: Mapping[str, str]) -> str:
    """Identifies the configuration in an environment. The inherited variables do not count."""
    configured = {name: value for name, value in env.items() if name not in INHERITED}
    return hashlib.sha256(json.dumps(configured, sort_keys=True).encode()).hexdigest()


def _keys(config: LaptopConfig) -> dict[str, str]:
    """Airflow's secrets, created once: what they encrypted or signed must be readable after a restart."""
    file = config.state / "airflow-keys.json"
    if not file.is_file():
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(file, {"fernet": fernet, "api": secrets.token_hex(32), "jwt": secrets.token_hex(32)})
    return json.loads(file.read_text())
