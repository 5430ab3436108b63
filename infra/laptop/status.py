"""``make status``: processes, live versions, registered versions, last DAG runs. Each part says why it is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.workloads import discover
from infra.laptop import airflow, cloud, registry
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.postgres import NAME as POSTGRES
from infra.laptop.processes import ProcessRecord, Supervisor, alive, last_lines
from infra.laptop.runs import Airflow
from infra.laptop.stages import DAGS, STATE_TABLE

RUNS = 3
LOG_LINES = 5
NAMES = (POSTGRES, cloud.NAME, *airflow.PROCESSES)


def status(config: LaptopConfig) -> dict[str, Any]:
    """The status as JSON values. A part that cannot be read is ``{"error": <text>}``."""
    supervisor = Supervisor(config.state)
    processes = {name: process(supervisor.record(name)) for name in NAMES}
    watcher = supervisor.supervisor()
    workloads, errors = discover()
    return {
        "running": all(found["state"] == "running" for found in processes.values()),
        "supervisor": {"state": "running", "pid": watcher.pid} if watcher else {"state": "stopped"},
        "processes": processes,
        "local_cloud": _local_cloud(config),
        "urls": {"airflow": config.airflow_url, "aws_endpoint": config.endpoint},
        "workloads": {workload.name: _workload(config, workload.name) for workload in workloads},
        "invalid_workloads": {error.workload: str(error) for error in errors},
    }


def process(record: ProcessRecord | None) -> dict[str, Any]:
    """State, pid, start time, restarts and last exit code of a process; of a dead one also the end of its log."""
    if record is None:
        return {"state": "stopped"}
    runs = alive(record)
    found: dict[str, Any] = {
        "state": "running" if runs else record.state if record.state != "running" else "dead",
        "restarts": record.restarts,
        "log": record.log,
    }
    if runs:
        since = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        found |= {"pid": record.pid, "since": since}
    if record.exit_code is not None:
        found["last_exit_code"] = record.exit_code
    if not runs:
        path = Path(record.log)
        found |= {"detail": record.detail, "last_lines": last_lines(path, LOG_LINES) if path.is_file() else []}
    return found


def _local_cloud(config: LaptopConfig) -> dict[str, Any]:
    health = cloud.health(config)
    if health is None:
        return {"error": f"it does not answer at {config.endpoint}"}
    return {"status": health["status"], "wrong": health["wrong"], "opt_ml": health["opt_ml"]}


def _workload(config: LaptopConfig, name: str) -> dict[str, Any]:
    return {
        "live": _read(lambda: registry.live(Aws(config), STATE_TABLE, name)),
        "versions": _read(lambda: [_version(package) for package in registry.versions(Aws(config), name)]),
        "last_runs": _read(lambda: _last_runs(Airflow(config.airflow_url), name)),
    }


def _read(source: Callable[[], Any]) -> Any:
    try:
        return source()
    except (LaptopError, BotoCoreError, ClientError, OSError) as error:
        return {"error": str(error)}


def _last_runs(client: Airflow, name: str) -> dict[str, Any]:
    return {dag: [_run(run) for run in client.runs(f"{name}_{dag}", RUNS)] for dag in DAGS}


def _version(package: dict[str, Any]) -> dict[str, Any]:
    metadata = package.get("CustomerMetadataProperties", {})
    kept = {
        name: metadata.get(name) for name in ("day", "dataset_version", "data_cutoff", "auc", "decision", "code_sha")
    }
    return {"version": package["ModelPackageVersion"], "status": package["ModelApprovalStatus"], **kept}


def _run(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("dag_run_id", "run_type", "state", "start_date", "duration", "conf")}
