"""A real Airflow for a test: its processes on SQLite, with one folder of DAGs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from include.errors import NightjarError
from infra.airflow_api import DONE
from infra.laptop.airflow_environment import JOB_PAGES, SITE
from infra.laptop.free_ports import free_port
from infra.laptop.runs import Airflow

ROOT = Path(__file__).parents[2]
PROCESSES = (("api-server", "--workers", "1"), ("scheduler",), ("dag-processor",))
TRIGGERER = (("triggerer",),)
START_SECONDS = 240  # a busy machine takes long
WAIT_SECONDS = 240
POLL_SECONDS = 0.5  # each request, and each round of the scheduler, is CPU that other tests wait for


@dataclass(frozen=True)
class RealAirflow:
    """A running Airflow."""

    home: Path
    api: Airflow

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Starts a run, and returns its path in the API."""
        return f"/dags/{dag_id}/dagRuns/{quote(self.api.trigger(dag_id, conf), safe='')}"

    def states(self, run: str) -> dict[str, str | None]:
        """The state of each task of a run."""
        return {
            task["task_id"]: task["state"] for task in self.api.call("GET", f"{run}/taskInstances")["task_instances"]
        }

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Returns the first true value of ``condition()``."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what}: not within {WAIT_SECONDS} s\n{self.logs()}"
            time.sleep(POLL_SECONDS)
        return value

    def until(self, run: str, task: str, state: str) -> None:
        """Waits until a task of a run has a state."""
        self.wait(lambda: self.states(run).get(task) == state, f"{task} is {state}")

    def ended(self, run: str) -> dict[str, Any]:
        """Waits for the end of a run, and returns it as the API describes it."""

        def end() -> dict[str, Any] | None:
            described: dict[str, Any] = self.api.call("GET", run)
            return described if described["state"] in DONE else None

        found: dict[str, Any] = self.wait(end, f"the end of {run}")
        return found

    def log(self, run: str, task: str) -> str:
        """The log of a task's last try."""
        instance = self.api.call("GET", f"{run}/taskInstances/{task}")
        return "\n".join(self.api.log(instance["dag_id"], instance["dag_run_id"], instance))

    def execute_sql(self, statement: str, *values: Any) -> None:
        """Changes Airflow's database."""
        with sqlite3.connect(self.home / "airflow.db", timeout=60) as connection:
            connection.execute(statement, values)

    def logs(self) -> str:
        """The end of each process's output."""
        return "\n".join(f"--- {file.name}\n{file.read_text()[-3000:]}" for file in sorted(self.home.glob("*.out")))


@contextmanager
def running_airflow(
    home: Path, dags: Path, environment: dict[str, str], *, triggerer: bool = True
) -> Iterator[RealAirflow]:
    """Starts Airflow with the DAGs of a folder, waits until it has parsed them, and stops it.

    Tasks that are deferred need a triggerer.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**_environment(home, dags, port), **environment}
    argv = [sys.executable, "-m", "airflow"]
    with (home / "migrate.out").open("wb") as out:
        subprocess.run([*argv, "db", "migrate"], env=env, cwd=home, stdout=out, stderr=out, check=True)
    processes = []
    try:
        for name, *options in PROCESSES + (TRIGGERER if triggerer else ()):
            with (home / f"{name}.out").open("wb") as out:
                processes.append(
                    subprocess.Popen(
                        [*argv, name, *options], env=env, cwd=home, stdout=out, stderr=out, start_new_session=True
                    )
                )
        _wait_healthy(home, url, triggerer)
        airflow = RealAirflow(home, Airflow(url))
        airflow.wait(lambda: _dags(airflow) or None, "the DAG files are parsed")
        yield airflow
    finally:  # nothing of it is used again, and an orderly end takes it 20 seconds
        # A task has a process group of its own.
        tasks = [task for process in processes for task in psutil.Process(process.pid).children(recursive=True)]
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
        for task in tasks:
            with suppress(psutil.NoSuchProcess):
                task.kill()
        for process in processes:
            process.wait()


def _dags(airflow: RealAirflow) -> list[str]:
    errors = airflow.api.call("GET", "/importErrors")["import_errors"]
    assert not errors, errors
    return [dag["dag_id"] for dag in airflow.api.call("GET", "/dags")["dags"]]


def _wait_healthy(home: Path, url: str, triggerer: bool) -> None:
    deadline = time.monotonic() + START_SECONDS
    parts = ("metadatabase", "scheduler", "dag_processor", *(["triggerer"] if triggerer else []))
    while True:
        try:
            answer = httpx.get(f"{url}/api/v2/monitor/health", timeout=5).json()
            if all(answer[part]["status"] == "healthy" for part in parts):
                httpx.get(f"{url}/execution/health", timeout=60)  # the first task would wait for this
                return
        except (httpx.HTTPError, NightjarError, ValueError, KeyError) as error:
            answer = error
        if time.monotonic() > deadline:
            out = "\n".join(f"--- {file.name}\n{file.read_text()[-2000:]}" for file in sorted(home.glob("*.out")))
            raise AssertionError(f"Airflow did not start: {answer}\n{out}")
        time.sleep(0.5)


def _environment(home: Path, dags: Path, port: int) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    log_ports = {
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }
    return {
        **keep,
        **log_ports,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}:{SITE}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Otherwise a task that is resumed while its first process is still ending loses a try.
        "AIRFLOW__CORE__EXECUTOR": "nightjar_laptop.held_tasks.HoldingLocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": "test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of a test that has at least sixty-four characters in it.",
        "AIRFLOW__NIGHTJAR__CONSOLE_URL": f"http://127.0.0.1:{port}{JOB_PAGES}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": str(POLL_SECONDS),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",  # the files do not change
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
