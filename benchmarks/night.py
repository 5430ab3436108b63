"""A retrain night on the running platform: its wall clock against its jobs' own running times.

Wall clock: from the moment the run was asked for to its end. The jobs' own time is the least that any orchestrator needs for
them: the longer of the two Athena queries, which run side by side, then training, then evaluation. A query's is
``TotalExecutionTimeInMillis`` (engine and queue), a training job's ``TrainingStartTime`` to ``TrainingEndTime``, a processing
job's ``ProcessingStartTime`` to ``ProcessingEndTime``: what AWS itself says, so starting the container's process counts and
waiting for it to be noticed does not. With ``fresh`` every job runs anew though its result is there.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from benchmarks import timeline
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopError
from infra.laptop.runs import Airflow
from infra.laptop.stages import DAGS, Connection

PAGE = 100
QUIET_SECONDS = 3.0
QUIET_TIMEOUT = 600.0


@dataclass(frozen=True)
class Night:
    """One measured run; seconds. ``gaps``: what its overhead went to, the most first."""

    wall: float
    jobs: dict[str, float]
    path: list[str]
    hops: list[float]
    retries: int
    gaps: dict[str, float]

    @property
    def needed(self) -> float:
        """The jobs' own running times along the critical path."""
        return max(self.jobs["dataset"], self.jobs["digest"]) + self.jobs["training"] + self.jobs["evaluation"]

    @property
    def ratio(self) -> float:
        return self.wall / self.needed

    @property
    def hop(self) -> float:
        return statistics.median(self.hops)


def measure(connection: Connection, workload: str, night: date) -> Night:
    """Runs the night's retrain anew and says where its time went. Raises :class:`LaptopError` when it ends red."""
    airflow, dag_id = connection.airflow, f"{workload}_retrain"
    run_id = follow(connection, dag_id, night)
    path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
    run = airflow.call("GET", path)
    asked, ended = _instant(run["run_after"]), _instant(run["end_date"])
    tasks = timeline.tasks_of(_events(airflow, dag_id, run_id))
    critical = timeline.critical_path(tasks, _upstream(airflow, dag_id))
    seconds, spans = _jobs(connection.aws, lambda task: _returned(airflow, path, task))
    return Night(
        wall=ended - asked,
        jobs=seconds,
        path=critical,
        hops=timeline.hops(critical, tasks),
        retries=sum(task.retries for task in tasks.values()),
        gaps=timeline.gaps(asked, ended, critical, tasks, spans),
    )


def follow(connection: Connection, dag_id: str, night: date) -> str:
    """Triggers a fresh run for the night and waits for its end; its id."""
    run_id = connection.airflow.trigger(dag_id, {"date": night.isoformat(), "fresh": True})
    connection.airflow.follow(dag_id, run_id, connection.reporter)
    return run_id


def settle(airflow: Airflow, workload: str) -> None:
    """Waits until no run of the workload goes on, nor a deploy that one has just set off."""
    deadline, quiet_since = time.monotonic() + QUIET_TIMEOUT, time.monotonic()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        active = [
            dag for dag in DAGS for run in airflow.runs(f"{workload}_{dag}", 5) if run["state"] in ("queued", "running")
        ]
        if active:
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            raise LaptopError(
                f"{workload}_{active[0]} still runs after {QUIET_TIMEOUT:.0f} s; measure when the platform is idle."
            )
        time.sleep(0.5)


def _jobs(aws: Aws, returned: Any) -> tuple[dict[str, float], list[timeline.Span]]:
    """Own seconds by job, and when each ran. ``returned(task)``: what a submit task returned, the job's id."""
    seconds, spans = {}, []
    for name in ("dataset", "digest"):
        query = aws.athena.get_query_execution(QueryExecutionId=returned(f"submit_{name}"))["QueryExecution"]
        seconds[name] = query["Statistics"]["TotalExecutionTimeInMillis"] / 1000
        submitted = query["Status"]["SubmissionDateTime"].timestamp()
        spans.append((submitted, submitted + seconds[name]))
    training = aws.sagemaker.describe_training_job(TrainingJobName=returned("submit_training"))
    evaluation = aws.sagemaker.describe_processing_job(ProcessingJobName=returned("submit_evaluation"))
    for name, kind, answer in (("training", "Training", training), ("evaluation", "Processing", evaluation)):
        span = answer[f"{kind}StartTime"].timestamp(), answer[f"{kind}EndTime"].timestamp()
        seconds[name] = span[1] - span[0]
        spans.append(span)
    return seconds, spans


def _returned(airflow: Airflow, run: str, task_id: str) -> str:
    return airflow.call("GET", f"{run}/taskInstances/{task_id}/xcomEntries/return_value")["value"]


def _upstream(airflow: Airflow, dag_id: str) -> dict[str, list[str]]:
    upstream: dict[str, list[str]] = {}
    for task in airflow.call("GET", f"/dags/{dag_id}/tasks")["tasks"]:
        for later in task["downstream_task_ids"]:
            upstream.setdefault(later, []).append(task["task_id"])
    return upstream


def _events(airflow: Airflow, dag_id: str, run_id: str) -> list[tuple[float, str, str]]:
    """``(instant, task, event)`` of the run, in order of time. A task instance itself keeps no trace of its deferral."""
    entries: list[dict[str, Any]] = []
    while True:
        parameters = {"dag_id": dag_id, "run_id": run_id, "order_by": "when", "limit": PAGE, "offset": len(entries)}
        page = airflow.call("GET", "/eventLogs", params=parameters)["event_logs"]
        entries += page
        if len(page) < PAGE:
            return [
                (_instant(entry["when"]), entry["task_id"], entry["event"]) for entry in entries if entry["task_id"]
            ]


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
