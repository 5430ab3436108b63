"""Airflow's REST API: triggers a DAG, follows its run, reads the log of a failed task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from infra.airflow_api.entries import label, log_lines
from infra.airflow_api.errors import AirflowRefusedError, AirflowUnreachableError, RunFailedError
from infra.airflow_api.transport import Transport

DONE = {"success", "failed"}
ACTIVE = {"running", "deferred", "up_for_retry"}
AUTOMATIC = ("scheduled", "backfill")
TASK_DONE = {"success", "failed", "upstream_failed", "skipped", "removed"}
LOG_LINES = 40
SKIPPING = "Skipping task."  # the task runner logs it, with the reason, when a task skips itself
# Its import error names workloads that do not load. It has no DAG, so no DAG is missing because of it.
REPORTING_FILE = "invalid_workloads.py"


class Listener(Protocol):
    """Is told of the progress of a run."""

    def task(self, name: str, state: str, seconds: float, note: str = "") -> None:
        """A task ended."""

    def doing(self, text: str) -> None:
        """These tasks run at this moment."""


@dataclass(frozen=True)
class Run:
    """A DAG run that ended.

    Attributes:
        tasks: The state of each task by its id; a mapped task has its index behind it.
    """

    dag_id: str
    run_id: str
    state: str
    tasks: dict[str, str]
    seconds: float


class AirflowApi:
    """The client.

    Args:
        transport: The way to Airflow.
        poll_seconds: Seconds between two looks at a run.

    Attributes:
        watch: Called again and again while a run is followed; what it raises ends the wait.
    """

    def __init__(self, transport: Transport, *, poll_seconds: float) -> None:
        self._transport = transport
        self._poll_seconds = poll_seconds
        self.watch: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The address of the user interface."""
        return self._transport.url

    def call(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, json: Any = None, accept: int = 0
    ) -> Any:
        """Sends one request; ``path`` is below ``/api/v2``. A response with the status ``accept`` is no error.

        Returns:
            The JSON of the response, or None when it is empty.

        Raises:
            AirflowRefusedError: Airflow answered with an error.
            AirflowUnreachableError: It did not answer.
        """
        answer = self._transport.send(method, path, params=params, json=json)
        if answer.status >= 400 and answer.status != accept:
            raise AirflowRefusedError(f"Airflow refused {method} {path} ({answer.status}): {str(answer.body)[:2000]}")
        return answer.body

    def import_errors(self) -> list[dict[str, Any]]:
        """The DAG files that could not be imported, each with ``filename`` and ``stack_trace``."""
        return self.call("GET", "/importErrors")["import_errors"]

    def put_pool(self, name: str, slots: int, description: str, *, include_deferred: bool = False) -> None:
        """Creates the pool, or updates it; ``include_deferred``: deferred tasks take a slot too."""
        present = {pool["name"] for pool in self.call("GET", "/pools")["pools"]}
        body = {"name": name, "slots": slots, "description": description, "include_deferred": include_deferred}
        if name in present:
            body["pool"] = body.pop("name")
            self.call("PATCH", f"/pools/{quote(name)}", json=body)
        else:
            self.call("POST", "/pools", json=body)

    def wait_for_dags(self, dag_ids: list[str], timeout: float = 120) -> None:
        """Waits until Airflow has parsed the DAGs.

        Raises:
            AirflowRefusedError: A DAG file has an import error, or a DAG is missing after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            present = {
                dag["dag_id"] for dag in self.call("GET", "/dags", params={"limit": 500, "exclude_stale": True})["dags"]
            }
            missing = [dag_id for dag_id in dag_ids if dag_id not in present]
            if not missing:
                return
            errors = [error for error in self.import_errors() if not error["filename"].endswith(REPORTING_FILE)]
            if time.monotonic() > deadline or errors:
                traces = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
                cause = (
                    f"Fix the import errors:\n{traces}"
                    if errors
                    else "Airflow reports no import error; see the log of the DAG processor."
                )
                raise AirflowRefusedError(f"Airflow has not loaded these DAGs: {', '.join(missing)}. {cause}")
            time.sleep(self._poll_seconds)

    def parse_dag_files(self, dag_ids: Collection[str] = ()) -> None:
        """Makes Airflow parse the files of these DAGs again, soon; of all of them if none is named."""
        dags = self.call("GET", "/dags", params={"limit": 500, "exclude_stale": True})["dags"]
        for token in {dag["file_token"] for dag in dags if not dag_ids or dag["dag_id"] in dag_ids}:
            self.call("PUT", f"/parseDagFile/{token}", accept=409)  # 409: it was asked for, and is not begun yet

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Triggers a run and returns its id."""
        return self.call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})["dag_run_id"]

    def runs(self, dag_id: str, limit: int = 10) -> list[dict[str, Any]]:
        """The runs of a DAG, the one that was made last first; none for an unknown DAG."""
        try:
            return self.call("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-id", "limit": limit})["dag_runs"]
        except AirflowRefusedError:
            return []

    def automatic_run(self, dag_id: str, start: datetime, end: datetime) -> dict[str, Any] | None:
        """The scheduled run of a DAG, or else the one of a backfill, whose interval ends in [start, end)."""
        asked = {"run_after_gte": start.isoformat(), "run_after_lt": end.isoformat(), "order_by": "id"}
        runs = self.call("GET", f"/dags/{dag_id}/dagRuns", params=asked)["dag_runs"]
        return next((run for kind in AUTOMATIC for run in runs if run["run_type"] == kind), None)

    def clear(self, dag_id: str, run_id: str) -> None:
        """Makes a run that ended run again, from its first task on."""
        self.call("POST", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/clear", json={"dry_run": False})

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return self.call("GET", path, params={"limit": 500})["task_instances"]

    def log(self, dag_id: str, run_id: str, task: dict[str, Any]) -> list[str]:
        """The lines of the log of a task instance's last try; none when it never ran."""
        if task["try_number"] < 1:
            return []
        path = (
            f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        )
        parameters = {"map_index": task["map_index"], "full_content": True}
        content = self.call("GET", path, params=parameters)["content"]
        return [line for entry in content for line in log_lines(entry)]

    def follow(self, dag_id: str, run_id: str, reporter: Listener, timeout: float = 3600) -> Run:
        """Waits for the end of a run and reports each task that ends.

        Raises:
            RunFailedError: The run failed, or runs longer than ``timeout`` seconds.
            NightjarError: :attr:`watch` found that the run cannot go on.
        """
        deadline = time.monotonic() + timeout
        reported: set[str] = set()
        tasks: list[dict[str, Any]] = []
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
        while True:
            self.watch()
            run: dict[str, Any] = {"state": ""}
            # An API server that was restarted answers again, and the watch ends the wait for one that stays dead.
            with contextlib.suppress(AirflowUnreachableError):
                tasks = self._report(dag_id, run_id, reported, reporter)
                if not any(task["state"] in ACTIVE for task in tasks):  # a run with an active task has not ended
                    run = self.call("GET", path)
                if run["state"] in DONE:
                    tasks = self._report(dag_id, run_id, reported, reporter)
                    break
            if time.monotonic() > deadline:
                link = self.link(dag_id, run_id)
                raise RunFailedError(f"{dag_id} {run_id} has not ended after {timeout:.0f} s. Look at {link}")
            time.sleep(self._poll_seconds)
        if run["state"] == "failed":
            raise RunFailedError(self._failure(dag_id, run_id, tasks))
        states = {label(task): task["state"] for task in tasks}
        return Run(dag_id, run_id, run["state"], states, run["duration"] or 0.0)

    def link(self, dag_id: str, run_id: str) -> str:
        """The URL of the run's page in the UI."""
        return f"{self.url}/dags/{dag_id}/runs/{quote(run_id, safe='')}"

    def _report(self, dag_id: str, run_id: str, reported: set[str], reporter: Listener) -> list[dict[str, Any]]:
        """Reports the tasks that ended, adds their labels to ``reported``, and returns all tasks."""
        tasks = self.tasks(dag_id, run_id)
        for task in sorted(tasks, key=lambda task: task["end_date"] or ""):
            name = label(task)
            if task["state"] in TASK_DONE and name not in reported:
                reported.add(name)
                note = self._reason(dag_id, run_id, task) if task["state"] == "skipped" else ""
                reporter.task(name, task["state"], task["duration"] or 0.0, note)
        active = [task for task in tasks if task["state"] in ACTIVE]
        reporter.doing(", ".join(f"{label(task)} {task['state']}" for task in active))
        return tasks

    def _failure(self, dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> str:
        failed = sorted((task for task in tasks if task["state"] == "failed"), key=lambda task: task["end_date"] or "")
        text = [f"{dag_id} failed: {self.link(dag_id, run_id)}"]
        for task in failed[:2]:  # the first is the cause; the second is often its consequence
            text += [
                f"--- {label(task)} (try {task['try_number']}), end of its log:",
                *self.log(dag_id, run_id, task)[-LOG_LINES:],
            ]
        return "\n".join(text)

    def _reason(self, dag_id: str, run_id: str, task: dict[str, Any]) -> str:
        """The text of the exception with which a task skipped itself."""
        lines = [line for line in self.log(dag_id, run_id, task) if SKIPPING in line]
        return lines[-1].split(SKIPPING, 1)[1].strip() if lines else ""


def since(moment: datetime, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs that were requested at ``moment`` or later."""
    return [run for run in runs if datetime.fromisoformat(run["run_after"]).astimezone(UTC) >= moment]
