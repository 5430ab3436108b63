"""Airflow on the laptop: its environment, its database, its four processes, and the zygote that forks these."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import boto3
import httpx
import psycopg
from botocore.exceptions import ClientError

from include.build import BUILD_FILE
from infra.airflow_api.pools import create_pools
from infra.laptop import bootstrap, vitals
from infra.laptop.airflow_environment import CREDENTIALS, DATABASE, digest, environment
from infra.laptop.aws import Aws
from infra.laptop.config import REGION, ROOT, LaptopConfig, LaptopError
from infra.laptop.parts import API, DAG_PROCESSOR, POSTGRES, SCHEDULER, TRIGGERER, ZYGOTE
from infra.laptop.ports import require_free
from infra.laptop.postgres import Postgres, running_server
from infra.laptop.processes import Supervisor, tail, write_private
from infra.laptop.runs import Airflow, health

PROCESSES = {
    API: ["api-server", "--workers", "1"],
    SCHEDULER: ["scheduler", "--skip-serve-logs"],
    DAG_PROCESSOR: ["dag-processor"],
    TRIGGERER: ["triggerer", "--skip-serve-logs"],
}
# It can sleep 10 seconds before it sees that its only child has ended. Triggers live in the database.
KILL_SOON = (TRIGGERER,)
PROJECT = (ROOT / "dags", ROOT / "include", ROOT / "plugins")
READY_SECONDS = 120
EARLY = (API, DAG_PROCESSOR)  # these start no task
# These ask PostgreSQL several things a second, and a quarter of that was the question whether it still answers. If it
# was restarted, they fail once and are restarted too. The API server asks, so that no user sees an error then.
POLLING = {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_PRE_PING": "False"}
SESSION_SECONDS = 12 * 3600
REFRESH_SECONDS = 6 * 3600


def start_zygote(config: LaptopConfig, supervisor: Supervisor, env: dict[str, str]) -> None:
    """Stops processes with another environment than ``env``, and starts the zygote of those to come (Linux).

    Raises:
        LaptopError: The port is taken.
    """
    wanted = digest(env)
    names = (ZYGOTE, *PROCESSES)
    outdated = [name for name in names if (process := supervisor.find(name)) and process.digest != wanted]
    supervisor.stop(*outdated, kill_soon=KILL_SOON)
    if _all_run(supervisor):
        return
    if supervisor.find(API) is None:
        require_free(config.airflow_port, "NIGHTJAR_AIRFLOW_PORT", "Airflow")
    Path(env["AIRFLOW_HOME"]).mkdir(parents=True, exist_ok=True)
    if sys.platform == "linux":
        argv: list[str | Path] = [config.python("airflow"), "-m", "nightjar_laptop.zygote"]
        supervisor.start(ZYGOTE, argv, env=env, cwd=Path(env["AIRFLOW_HOME"]), digest=wanted, is_zygote=True)


def start_early(config: LaptopConfig, supervisor: Supervisor, postgres: Postgres, env: dict[str, str]) -> str | None:
    """Migrates the database and starts the processes that start no task. Does not wait until these are ready.

    They need nothing from AWS, and the API server takes longest of all.

    Returns:
        The state of the files that a new DAG processor parses (:func:`project_digest`); None if it ran already.

    Raises:
        LaptopError: The database cannot be migrated.
    """
    if _all_run(supervisor):
        return None
    _migrate(config, env, postgres)
    parses = None if supervisor.find(DAG_PROCESSOR) else project_digest()  # before it reads the first file
    for name in EARLY:
        _start_process(config, supervisor, name, env)
    return parses


def wait_for_api_server(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Waits until the API server answers, for users and for tasks.

    Raises:
        LaptopError: It ended, or did not answer in time.
    """

    def missing() -> tuple[str, ...]:
        return () if health(config.airflow_url) is not None else (API,)

    supervisor.wait_ready((API,), missing, READY_SECONDS, "Airflow's API server")
    # Airflow creates the execution API at its first request. Without this one, the first task waits for that. On a busy
    # machine it takes long: then the tasks wait after all.
    with suppress(httpx.TimeoutException):
        httpx.get(f"{config.airflow_url}/execution/health", timeout=60)


def start(config: LaptopConfig, supervisor: Supervisor, env: dict[str, str], parses: str | None) -> None:
    """Starts the other processes that do not run, creates the pools, and waits until tasks can start.

    ``parses`` is what :func:`start_early` has returned.

    Raises:
        LaptopError: Airflow did not become ready.
    """
    for name in PROCESSES:
        _start_process(config, supervisor, name, env)
    wait_until_ready(config, supervisor)
    client = Airflow(config.airflow_url)
    create_pools(client)
    parsed = config.state / "airflow-parsed.txt"
    # What the DAG files import, such as a workload, may have been edited: Airflow looks at the DAG files alone.
    if parses is None:
        parses = project_digest()
        if not parsed.is_file() or parsed.read_text() != parses:
            client.parse_dag_files()
    parsed.write_text(parses)


def project_digest(folders: Sequence[Path] = PROJECT) -> str:
    """Identifies the state of the files that DAG files may import: their names, times and sizes.

    The build's stamp is written at each start, and read by tasks alone.
    """
    found = hashlib.sha256()
    for file in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix != ".pyc"):
        if file.is_file() and file.name != BUILD_FILE.name:
            state = file.stat()
            found.update(f"{file}\0{state.st_mtime_ns}\0{state.st_size}\0".encode())
    return found.hexdigest()


def wait_until_ready(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Waits until every process of Airflow has sent a heartbeat.

    Raises:
        LaptopError: A process died, or sent none in time.
    """
    supervisor.wait_ready(PROCESSES, lambda: _silent(config), READY_SECONDS, "Airflow")


def stop(supervisor: Supervisor) -> list[str]:
    """Stops the processes; returns the names of those that ran."""
    return supervisor.stop(*PROCESSES, kill_soon=KILL_SOON)


def _all_run(supervisor: Supervisor) -> bool:
    return all(supervisor.find(name) for name in PROCESSES)


def _start_process(config: LaptopConfig, supervisor: Supervisor, name: str, env: dict[str, str]) -> None:
    argv: list[str | Path] = [config.python("airflow"), "-m", "airflow", *PROCESSES[name]]
    own = {} if name == API else POLLING
    home = Path(env["AIRFLOW_HOME"])
    supervisor.start(name, argv, env={**env, **own}, cwd=home, digest=digest(env), zygote=ZYGOTE)


def become_command_line(config: LaptopConfig, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by Airflow's command line, with the environment of the stack's Airflow.

    Raises:
        LaptopError: PostgreSQL, which has Airflow's database, does not run.
    """
    vitals.require_running(config, (POSTGRES,))
    env = environment(config, bootstrap.settings(), running_server(config))
    python = str(config.python("airflow"))
    os.execve(python, [python, "-m", "airflow", *arguments], env)


def _migrate(config: LaptopConfig, env: dict[str, str], postgres: Postgres) -> None:
    """Creates Airflow's tables or brings them to this version; quick when they are of this version."""
    version = hashlib.sha256((ROOT / "requirements" / "airflow.txt").read_bytes()).hexdigest()
    migrated = config.state / "airflow-database.json"
    with psycopg.connect(postgres.url(DATABASE), autocommit=True) as connection:
        present = connection.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,)
        if not present or not migrated.is_file() or json.loads(migrated.read_text())["version"] != version:
            _command(config, env, "db", "migrate")
            write_private(migrated, {"version": version})
        connection.execute((Path(__file__).parent / "airflow_wakeup.sql").read_text())


def _silent(config: LaptopConfig) -> tuple[str, ...]:
    """The processes that Airflow does not call healthy."""
    found = health(config.airflow_url)
    return (API,) if found is None else vitals.unhealthy(found)


def _command(config: LaptopConfig, env: dict[str, str], *arguments: str) -> None:
    log = config.logs / f"airflow-{arguments[0]}.log"
    with log.open("wb") as sink:
        argv = [str(config.python("airflow")), "-m", "airflow", *arguments]
        code = subprocess.run(
            argv, env=env, cwd=env["AIRFLOW_HOME"], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        ).returncode
    if code:
        raise LaptopError(f"`airflow {' '.join(arguments)}` failed with exit code {code}. Its log:\n{tail(log)}")


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
