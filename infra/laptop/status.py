"""``make status``: what runs and what is dead, what is live, and the last runs. Each part says why it is missing.

All parts are asked at the same time and with a short time-out, so that a process that hangs does not hold up the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.errors import NightjarError
from include.lake import resources
from include.pipelines.deploy.freeze import frozen
from include.workloads import discover
from infra.laptop import cloud, costs, parts, registry, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.inbox.open_alarms import open_alarms
from infra.laptop.processes import Supervisor
from infra.laptop.runs import Airflow, health
from infra.laptop.stages import DAGS, STATE_TABLE
from infra.laptop.state_log import LaptopState

RUNS = 3
VERSIONS = 5
TIMEOUT_SECONDS = 4.0


def status(config: LaptopConfig) -> dict[str, Any]:
    """The status as JSON values. A part that cannot be read is ``{"error": <text>}``."""
    supervisor = Supervisor(config.state)
    wanted = [*parts.ALL, *(name for name in parts.OPTIONAL if supervisor.record(name))]
    processes = {name: vitals.describe(supervisor.record(name)) for name in wanted}
    watcher = supervisor.supervisor()
    workloads, broken = discover()
    names = [workload.name for workload in workloads]
    with ThreadPoolExecutor(8) as pool:
        part = pool.submit(_local_cloud, config)
        aws = _of_running(processes, parts.CLOUD, lambda: Aws(config, timeout=TIMEOUT_SECONDS, attempts=1))
        states = {name: pool.submit(_resources, aws, name) for name in names}
        alarms = pool.submit(_open_alarms, aws)
        heartbeats = pool.submit(health, config.airflow_url)
        airflow = _of_running(processes, parts.API, lambda: Airflow(config.airflow_url, TIMEOUT_SECONDS))
        import_errors, runs = _airflow(pool, airflow, names)
        found = {name: {**states[name].result(), "last_runs": runs[name]} for name in names}
    return {
        "running": all(process["state"] == "running" for process in processes.values()),
        "problems": [
            *_dead(supervisor, heartbeats.result(), wanted),
            *_unanswered(part.result(), import_errors, processes),
            *(str(mistake) for mistake in broken),
        ],
        "supervisor": {"state": "running", "pid": watcher.pid} if watcher else {"state": "stopped"},
        "processes": processes,
        "local_cloud": part.result(),
        "open_alarms": alarms.result(),
        "urls": {
            "airflow": config.airflow_url,
            "aws_endpoint": config.endpoint,
            **({"mlflow": config.tracking_url} if parts.TRACKING in wanted else {}),
        },
        "import_errors": import_errors,
        "workloads": found,
    }


def _dead(supervisor: Supervisor, health: Mapping[str, Any] | None, wanted: Sequence[str]) -> list[str]:
    if not supervisor.records():
        return ["Nothing is running. Start the stack with `make run`."]
    return [fault.text(lines=0) for fault in vitals.faults(supervisor, health, wanted)]


def _unanswered(local_cloud: dict[str, Any], import_errors: Any, processes: dict[str, Any]) -> list[str]:
    """What is wrong with processes that run."""
    lines = [f"local cloud: {text}" for text in local_cloud.get("wrong", ())]
    if "error" in local_cloud and "pid" in processes[parts.CLOUD]:
        lines.append(f"local cloud: {local_cloud['error']}")
    if isinstance(import_errors, list):
        lines += [f"{error['file']} cannot be imported: {error['error']}" for error in import_errors]
    elif "pid" in processes[parts.API]:
        lines.append(import_errors["error"])
    return lines


def _of_running(processes: dict[str, Any], name: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """Makes a client of a process, unless the process does not run: then nobody answers, and the client would retry."""

    def client() -> Any:
        if "pid" not in processes[name]:
            raise LaptopError(f"{name} is not running")
        return make()

    return client


def _local_cloud(config: LaptopConfig) -> dict[str, Any]:
    found = cloud.health(config)
    if found is None:
        return {"error": f"it does not answer at {config.endpoint}"}
    return {"status": found["status"], "wrong": found["wrong"], "opt_ml": found["opt_ml"]}


def _open_alarms(connect: Callable[[], Aws]) -> Any:
    """The alarms that are in ALARM."""
    return _read(lambda: [asdict(alarm) for alarm in open_alarms(connect())])


def _resources(connect: Callable[[], Aws], name: str) -> dict[str, Any]:
    """What the local cloud has of a workload."""
    try:
        aws = connect()
    except NightjarError as error:
        return {part: {"error": str(error)} for part in ("url", "live", "freeze", "versions", "costs")}
    return {
        "url": _read(lambda: aws.ssm.get_parameter(Name=resources.service_url_parameter(name))["Parameter"]["Value"]),
        "live": _read(lambda: registry.live(aws, STATE_TABLE, name)),
        "costs": _read(lambda: costs.of_workload(aws, name)),
        "freeze": _read(lambda: frozen(LaptopState(aws, STATE_TABLE), name, datetime.now(UTC))),
        "versions": _read(lambda: [_version(package) for package in registry.versions(aws, name, VERSIONS)]),
    }


def _airflow(pool: ThreadPoolExecutor, connect: Callable[[], Airflow], names: list[str]) -> tuple[Any, dict[str, Any]]:
    """The import errors, and for each workload the last runs of each DAG."""
    try:
        client = connect()
    except NightjarError as error:
        missing = {"error": str(error)}
        return missing, dict.fromkeys(names, missing)
    errors = pool.submit(_read, lambda: [_import_error(error) for error in client.import_errors()])
    asked = {name: {dag: pool.submit(client.runs, f"{name}_{dag}", RUNS) for dag in DAGS} for name in names}
    return errors.result(), {name: _read(partial(_runs, of)) for name, of in asked.items()}


def _runs(asked: dict[str, Future[list[dict[str, Any]]]]) -> dict[str, Any]:
    return {dag: [_run(run) for run in runs.result()] for dag, runs in asked.items()}


def _read(source: Callable[[], Any]) -> Any:
    try:
        return source()
    except (NightjarError, BotoCoreError, ClientError, OSError) as error:
        return {"error": str(error)}


def _version(package: dict[str, Any]) -> dict[str, Any]:
    metadata = package.get("CustomerMetadataProperties", {})
    kept = {
        name: metadata.get(name) for name in ("day", "dataset_version", "data_cutoff", "auc", "decision", "code_sha")
    }
    return {"version": package["ModelPackageVersion"], "status": package["ModelApprovalStatus"], **kept}


def _run(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("dag_run_id", "run_type", "state", "start_date", "duration", "conf")}


def _import_error(error: dict[str, Any]) -> dict[str, str]:
    return {"file": error["filename"], "error": error["stack_trace"].strip().rsplit("\n", 1)[-1]}
