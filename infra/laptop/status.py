"""``make status``: processes, live versions, registered versions, last DAG runs. Works also when nothing runs."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.workloads import discover
from infra.laptop import airflow, cloud, registry
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.postgres import NAME as POSTGRES
from infra.laptop.processes import ProcessRecord, Supervisor
from infra.laptop.runs import Airflow
from infra.laptop.stages import DAGS, STATE_TABLE

RUNS = 3


def status(config: LaptopConfig) -> dict[str, Any]:
    """The status as JSON values. A workload that cannot be read is ``{"error": <text>}``."""
    supervisor = Supervisor(config.state)
    names = (POSTGRES, cloud.NAME, *airflow.PROCESSES)
    running = {record.name: record for record in supervisor.running()}
    up = all(name in running for name in names)
    return {
        "running": up,
        "processes": {name: _process(running.get(name)) for name in names},
        "urls": {"airflow": config.airflow_url, "aws_endpoint": config.endpoint},
        "workloads": {workload.name: _workload(config, workload.name) for workload in discover()[0]} if up else {},
    }


def _process(record: ProcessRecord | None) -> dict[str, Any]:
    return {"running": False} if record is None else {"running": True, "pid": record.pid, "log": record.log}


def _workload(config: LaptopConfig, name: str) -> dict[str, Any]:
    try:
        aws, client = Aws(config), Airflow(config.airflow_url)
        return {
            "live": registry.live(aws, STATE_TABLE, name),
            "versions": [_version(package) for package in registry.versions(aws, name)],
            "last_runs": {dag: [_run(run) for run in client.runs(f"{name}_{dag}", RUNS)] for dag in DAGS},
        }
    except (LaptopError, BotoCoreError, ClientError) as error:
        return {"error": str(error)}


def _version(package: dict[str, Any]) -> dict[str, Any]:
    metadata = package.get("CustomerMetadataProperties", {})
    kept = {
        name: metadata.get(name) for name in ("day", "dataset_version", "data_cutoff", "auc", "decision", "code_sha")
    }
    return {"version": package["ModelPackageVersion"], "status": package["ModelApprovalStatus"], **kept}


def _run(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("dag_run_id", "run_type", "state", "start_date", "duration", "conf")}
