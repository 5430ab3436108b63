"""The stages of a night, each through its DAG and the real scheduler: trigger, follow, fail with the task's log."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.settings import Settings
from infra.laptop import cloud, registry
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow, Run, since

ASSET_SECONDS = 30
STATE_TABLE = Settings.model_fields["state_table"].default
DAGS = ("ingest_stream", "ingest_tables", "process", "retrain", "deploy")


@dataclass
class Connection:
    """The platform as the stages need it."""

    config: LaptopConfig
    aws: Aws
    airflow: Airflow
    reporter: Reporter
    state_table: str = STATE_TABLE


def connect(config: LaptopConfig, reporter: Reporter | None = None) -> Connection:
    """Raises :class:`LaptopError` when the platform does not run."""
    if Supervisor(config.state).find(cloud.NAME) is None:
        raise LaptopError("The platform does not run here. Start it with `make run`.")
    return Connection(config, Aws(config), Airflow(config.airflow_url), reporter or Reporter())


def ingest(connection: Connection, workload: str, day: date) -> None:
    """Stream and tables. ``day`` is the last that was replayed: the history has no event of it left."""
    complete_to = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    runs = {
        f"{workload}_ingest_stream": {"complete_to": complete_to.isoformat().replace("+00:00", "Z")},
        f"{workload}_ingest_tables": {},
    }
    # Asked for together, so that they run side by side; followed one after the other.
    started = {dag_id: connection.airflow.trigger(dag_id, conf) for dag_id, conf in runs.items()}
    for dag_id, run_id in started.items():
        connection.reporter.say(dag_id)
        connection.airflow.follow(dag_id, run_id, connection.reporter)


def process(connection: Connection, workload: str, day: date, end: date | None = None) -> Run:
    """Transform, audit and publish ``day``, or the range up to ``end``."""
    conf = {"date": day.isoformat()} | ({"end_date": end.isoformat()} if end else {})
    return _run(connection, f"{workload}_process", conf)


def retrain(connection: Connection, workload: str, day: date) -> Run:
    """Data set, training, evaluation, decision, registration of one night."""
    return _run(connection, f"{workload}_retrain", {"date": day.isoformat()})


def deploy(connection: Connection, workload: str, version: str) -> Run:
    """A manual deploy of a version, or of ``previous``."""
    return _run(connection, f"{workload}_deploy", {"version": int(version) if version.isdigit() else version})


def deploy_night(connection: Connection, workload: str, night: date, asked_at: datetime) -> str:
    """Follows the deploy that an approved version of ``night`` set off by itself; what came of it, as a sentence.

    ``asked_at``: when the night's retrain was asked for. Where no deploy comes although the version should serve (a retrain that
    found everything done emits no event), it is asked for.
    """
    package = registry.of_night(connection.aws, workload, night)
    if package is None:
        raise LaptopError(f"No version is registered for the night of {night}: see the run of {workload}_retrain.")
    version, status = package["ModelPackageVersion"], package["ModelApprovalStatus"]
    if status != "Approved":
        connection.reporter.say(package.get("ApprovalDescription", "no reason given"))
        return f"version {version} is {status}, so nothing was deployed"
    run_id = _asset_run(connection, workload, package, asked_at)
    if run_id:
        connection.reporter.say(f"{workload}_deploy, set off by the approved version")
        connection.airflow.follow(f"{workload}_deploy", run_id, connection.reporter)
    serving = _serving(connection, workload, package)
    if serving:
        return serving
    connection.reporter.say(f"no deploy came by itself; asking for version {version}")
    deploy(connection, workload, str(version))
    return f"version {version} is live"


def _asset_run(connection: Connection, workload: str, package: dict[str, Any], asked_at: datetime) -> str | None:
    """The deploy that the version's approval set off, once it is there; None when there is none to wait for."""
    deadline = time.monotonic() + ASSET_SECONDS
    while True:
        runs = since(asked_at, connection.airflow.runs(f"{workload}_deploy"))
        found = [run["dag_run_id"] for run in runs if run["run_type"] == "asset_triggered"]
        if found:
            return found[-1]
        if _serving(connection, workload, package) or time.monotonic() > deadline:
            return None
        time.sleep(1)


def _serving(connection: Connection, workload: str, package: dict[str, Any]) -> str | None:
    """Says what serves when that is this version or one from newer data; None when this version ought to serve and does not."""
    pointer = registry.live(connection.aws, connection.state_table, workload)
    if not pointer or pointer["version"] is None:
        return None
    version = int(pointer["version"])
    if version == package["ModelPackageVersion"]:
        return f"version {version} is live"
    cutoffs = {
        p["ModelPackageVersion"]: p["CustomerMetadataProperties"]["data_cutoff"]
        for p in registry.versions(connection.aws, workload)
    }
    if cutoffs.get(version, "") >= package["CustomerMetadataProperties"]["data_cutoff"]:
        return f"version {version}, from data as new or newer, stays live"
    return None


def _run(connection: Connection, dag_id: str, conf: dict[str, Any]) -> Run:
    run_id = connection.airflow.trigger(dag_id, conf)
    connection.reporter.say(f"{dag_id} {' '.join(str(value) for value in conf.values())}")
    return connection.airflow.follow(dag_id, run_id, connection.reporter)
