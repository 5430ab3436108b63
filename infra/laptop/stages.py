"""The stages of a workload's day. Each triggers its DAG, follows the run, and fails with the log of the failed task."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import httpx

from include.lake.instants import format_instant, parse_instant
from include.settings import Settings
from include.workloads import Workload, WorkloadError, load
from infra.airflow_api import Run, since
from infra.laptop import registry, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow, health

ASSET_SECONDS = 30
LIVE_SECONDS = 120
STATE_TABLE: str = Settings.model_fields["state_table"].default
DAGS = ("ingest_stream", "ingest_tables", "process", "retrain", "deploy")
TABLES_DAG = "ingest_tables"  # only a workload with tables has it


@dataclass
class Connection:
    """Clients of a running laptop stack."""

    config: LaptopConfig
    aws: Aws
    airflow: Airflow
    reporter: Reporter
    state_table: str = STATE_TABLE


def connect(config: LaptopConfig, reporter: Reporter | None = None) -> Connection:
    """Connects to the running stack.

    Raises:
        LaptopError: The stack does not run, or a process of it is dead.
    """
    vitals.require_running(config)
    said = reporter or Reporter()
    airflow = Airflow(config.airflow_url)
    airflow.watch = vitals.Watch(Supervisor(config.state), said.say, partial(health, config.airflow_url))
    airflow.watch()
    return Connection(config, Aws(config), airflow, said)


def dags_of(workload: Workload) -> tuple[str, ...]:
    """Returns the DAGs that a workload has."""
    return tuple(dag for dag in DAGS if dag != TABLES_DAG or workload.tables)


def ingest(connection: Connection, workload: str, day: date) -> None:
    """Ingests the stream and, if it has any, the tables.

    All events of ``day``, and of the days before it, must be in the stream.

    Raises:
        LaptopError: The workload does not load.
        RunFailedError: A run failed.
    """
    try:
        dags = dags_of(load(workload))
    except WorkloadError as error:
        raise LaptopError(str(error)) from None
    complete_to = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    runs: dict[str, dict[str, Any]] = {
        f"{workload}_ingest_stream": {"complete_to": format_instant(complete_to)},
    }
    if TABLES_DAG in dags:
        runs[f"{workload}_{TABLES_DAG}"] = {}
    # Both are triggered first, so that they run at the same time.
    started = {dag_id: connection.airflow.trigger(dag_id, conf) for dag_id, conf in runs.items()}
    for dag_id, run_id in started.items():
        connection.reporter.say(dag_id)
        connection.airflow.follow(dag_id, run_id, connection.reporter)


def requeue(connection: Connection, workload: str) -> Run:
    """Reads the quarantined records of the stream again."""
    return _run(connection, f"{workload}_requeue", {})


def process(connection: Connection, workload: str, day: date, end: date | None = None) -> Run:
    """Transforms, audits and publishes ``day``, or the days up to and including ``end``."""
    conf = {"date": day.isoformat()} | ({"end_date": end.isoformat()} if end else {})
    return _run(connection, f"{workload}_process", conf)


def retrain(connection: Connection, workload: str, day: date) -> Run:
    """Builds the data set of a day, trains, evaluates, decides and registers."""
    return _run(connection, f"{workload}_retrain", {"date": day.isoformat()})


def monitor(connection: Connection, workload: str, day: date | None = None) -> Run:
    """Compares what arrives with the live version's training data; with a day, only days up to it are looked at."""
    return _run(connection, f"{workload}_monitor", {"date": day.isoformat()} if day else {})


def deploy(
    connection: Connection, workload: str, version: str, reason: str | None = None, *, release_hold: bool = False
) -> Run:
    """Deploys a version by its number, ``latest``, ``previous``, ``live`` or ``repair``.

    Args:
        connection: The stack.
        workload: The workload.
        version: The version.
        reason: Why a person goes back to it.
        release_hold: End the hold that a rollback has set.
    """
    conf: dict[str, Any] = {"version": int(version) if version.isdigit() else version}
    options = {"reason": reason, "release_hold": release_hold}
    return _run(connection, f"{workload}_deploy", conf | {name: value for name, value in options.items() if value})


def follow_deploy(connection: Connection, workload: str, day: date, started: datetime) -> str:
    """Follows the deploy that the approval of a day's version triggers.

    ``started`` is when the day's retrain run started. When no deploy starts although the version should serve, it is
    deployed by its number. This happens when the retrain run found all its jobs done: it then emits no asset event.

    Returns:
        A sentence that says which version serves, or why none was deployed.

    Raises:
        LaptopError: The day has no registered version, or the deploy failed.
    """
    package = registry.version_of_day(connection.aws, workload, day)
    if package is None:
        raise LaptopError(f"No version is registered for {day}. Look at the run of {workload}_retrain.")
    version, status = package["ModelPackageVersion"], package["ModelApprovalStatus"]
    if status != "Approved":
        connection.reporter.say(package.get("ApprovalDescription", "no reason given"))
        return f"version {version} is {status}, so nothing was deployed"
    run_id = _asset_run(connection, workload, package, started)
    if run_id:
        connection.reporter.say(f"{workload}_deploy, triggered by the approved version")
        connection.airflow.follow(f"{workload}_deploy", run_id, connection.reporter)
    serving = _serving(connection, workload, package)
    if serving:
        return serving
    connection.reporter.say(f"no asset event triggered a deploy; deploying version {version}")
    deploy(connection, workload, str(version))
    return f"version {version} is live"


def finished(connection: Connection, workload: str, day: date) -> str | None:
    """What an earlier run has made of a day; None when there is something left to do.

    A day is finished when its version was rejected, or when it (or one with newer data) serves.
    """
    package = registry.version_of_day(connection.aws, workload, day)
    if package is None:
        return None
    version, status = package["ModelPackageVersion"], package["ModelApprovalStatus"]
    if status == "Rejected":
        return f"version {version} is Rejected, so nothing was deployed"
    return _serving(connection, workload, package) if status == "Approved" else None


def wait_until_live(connection: Connection, workload: str, url: str) -> str | None:
    """Waits until the service of the live version answers.

    Returns:
        A sentence that says so; None when no version is live.

    Raises:
        LaptopError: It does not answer in time.
    """
    pointer = registry.live(connection.aws, connection.state_table, workload)
    if not pointer or pointer["version"] is None:
        return None
    deadline, reason = time.monotonic() + LIVE_SECONDS, ""
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/ready", timeout=5)
            if answer.status_code == 200:
                return f"version {pointer['version']} of {workload} is live and answers at {url}"
            reason = f"{answer.status_code} {answer.text[:200]}"
        except httpx.HTTPError as error:
            reason = str(error)
        time.sleep(0.2)
    raise LaptopError(
        f"Version {pointer['version']} of {workload} is live, but {url}/ready does not answer: {reason}. "
        f"Its log is in {connection.config.state / 'cloud' / 'logs' / 'ecs'}; `make status` shows the processes."
    )


def _asset_run(connection: Connection, workload: str, package: dict[str, Any], started: datetime) -> str | None:
    """Waits for the deploy run that the version's approval triggers; None when none starts or none is needed."""
    deadline = time.monotonic() + ASSET_SECONDS
    while True:
        runs = since(started, connection.airflow.runs(f"{workload}_deploy"))
        found = [run["dag_run_id"] for run in runs if run["run_type"] == "asset_triggered"]
        if found:
            return str(found[-1])
        if _serving(connection, workload, package) or time.monotonic() > deadline:
            return None
        time.sleep(1)


def _serving(connection: Connection, workload: str, package: dict[str, Any]) -> str | None:
    """Says which version serves, if it is this one or one with newer data; None if this one should be deployed."""
    pointer = registry.live(connection.aws, connection.state_table, workload)
    if not pointer or pointer["version"] is None:
        return None
    version = int(pointer["version"])
    if version == package["ModelPackageVersion"]:
        return f"version {version} is live"
    live = registry.version(connection.aws, workload, version)
    if live and _cutoff(live) >= _cutoff(package):
        return f"version {version} stays live: its data is as new or newer"
    return None


def _cutoff(package: dict[str, Any]) -> datetime:
    return parse_instant(package["CustomerMetadataProperties"]["data_cutoff"])


def _run(connection: Connection, dag_id: str, conf: dict[str, Any]) -> Run:
    run_id = connection.airflow.trigger(dag_id, conf)
    connection.reporter.say(f"{dag_id} {' '.join(str(value) for value in conf.values())}")
    return connection.airflow.follow(dag_id, run_id, connection.reporter)
