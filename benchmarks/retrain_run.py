"""Measures a retrain run on the running laptop stack: its wall-clock time against the running times of its jobs.

The wall-clock time is from the trigger of the run to its end. The jobs' time is the minimum of any orchestrator: the
longer of the two Athena queries, which run in parallel, then training, then evaluation. AWS reports these times: the
``TotalExecutionTimeInMillis`` of a query (engine and queue), ``TrainingStartTime`` to ``TrainingEndTime``, and
``ProcessingStartTime`` to ``ProcessingEndTime``. So they include the start of the container, but not the delay until
Airflow notices its end. The run has the Param ``fresh``, with which every job runs again although its result exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
class Measurement:
    """One measured run.

    Attributes:
        wall: Wall-clock seconds.
        jobs: Seconds of each job.
        path: Task ids of the critical path.
        hops: Seconds between consecutive tasks of the path.
        retries: Number of task retries.
        gaps: Seconds in which no job ran, by cause, the largest first.
    """

    wall: float
    jobs: dict[str, float]
    path: list[str]
    hops: list[float]
    retries: int
    gaps: dict[str, float]

    @property
    def needed(self) -> float:
        """Seconds of the jobs on the critical path."""
        return max(self.jobs["dataset"], self.jobs["digest"]) + self.jobs["training"] + self.jobs["evaluation"]

    @property
    def ratio(self) -> float:
        return self.wall / self.needed


def measure(connection: Connection, workload: str, day: date) -> Measurement:
    """Runs the retrain DAG of a day again and measures it.

    Raises:
        LaptopError: The run failed.
    """
    airflow, dag_id = connection.airflow, f"{workload}_retrain"
    run_id = follow(connection, dag_id, day)
    path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
    run = airflow.call("GET", path)
    triggered, ended = _seconds(run["run_after"]), _seconds(run["end_date"])
    tasks = timeline.tasks_of(_events(airflow, dag_id, run_id))
    critical = timeline.critical_path(tasks, _upstream(airflow, dag_id))
    seconds, spans = _jobs(connection.aws, lambda task: _returned(airflow, path, task))
    return Measurement(
        wall=ended - triggered,
        jobs=seconds,
        path=critical,
        hops=timeline.hops(critical, tasks),
        retries=sum(task.retries for task in tasks.values()),
        gaps=timeline.gaps(triggered, ended, critical, tasks, spans),
    )


def follow(connection: Connection, dag_id: str, day: date) -> str:
    """Triggers a fresh run of a day, waits for its end, and returns its id."""
    run_id = connection.airflow.trigger(dag_id, {"date": day.isoformat(), "fresh": True})
    connection.airflow.follow(dag_id, run_id, connection.reporter)
    return run_id


def settle(airflow: Airflow, workload: str) -> None:
    """Waits until no run of the workload is active for a few seconds: a run may trigger a deploy when it ends.

    Raises:
        LaptopError: A run is still active after ten minutes.
    """
    deadline, quiet_since = time.monotonic() + QUIET_TIMEOUT, time.monotonic()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        active = [
            dag for dag in DAGS for run in airflow.runs(f"{workload}_{dag}", 5) if run["state"] in ("queued", "running")
        ]
        if active:
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            raise LaptopError(
                f"{workload}_{active[0]} still runs after {QUIET_TIMEOUT:.0f} s. Measure when the stack is idle."
            )
        time.sleep(0.5)


def _jobs(aws: Aws, returned: Callable[[str], str]) -> tuple[dict[str, float], list[timeline.Span]]:
    """Seconds of each job, and when each ran. ``returned(task)`` is the job id that a submit task returned."""
    seconds: dict[str, float] = {}
    spans: list[timeline.Span] = []
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
    """``(seconds, task, event)`` of the run in order of time. The event log is read because it has the deferrals."""
    entries: list[dict[str, Any]] = []
    while True:
        parameters = {"dag_id": dag_id, "run_id": run_id, "order_by": "when", "limit": PAGE, "offset": len(entries)}
        page = airflow.call("GET", "/eventLogs", params=parameters)["event_logs"]
        entries += page
        if len(page) < PAGE:
            return [
                (_seconds(entry["when"]), entry["task_id"], entry["event"]) for entry in entries if entry["task_id"]
            ]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
