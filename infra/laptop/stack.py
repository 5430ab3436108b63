"""The whole laptop stack: start it, stop it, delete its state."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from infra.laptop import (
    airflow,
    airflow_environment,
    bootstrap,
    cloud,
    parts,
    postgres,
    provision,
    replay,
    service_ports,
    tracking,
)
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Resources
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import LaptopConfig
from infra.laptop.ports import require_free
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor


@dataclass(frozen=True)
class Stack:
    """A running laptop stack.

    Attributes:
        config: Its settings.
        aws: Clients of its local cloud.
        postgres: Its server.
        resources: What was made in the local cloud.
        refused_tables: Why a workload's source tables are not filled, by its name.
    """

    config: LaptopConfig
    aws: Aws
    postgres: Postgres
    resources: Resources
    refused_tables: Mapping[str, str] = field(default_factory=dict)

    def warnings(self) -> list[str]:
        """What each workload that cannot be used, or not completely, lacks and why."""
        return [f"The workload {name} is left out.\n{reason}" for name, reason in self.resources.left_out.items()] + [
            f"The source tables of {name} are not filled: {name}_ingest_tables will fail.\n{reason}"
            for name, reason in self.refused_tables.items()
        ]


def start(config: LaptopConfig, report: Callable[[str], None]) -> Stack:
    """Starts the processes that do not run and creates the AWS resources that do not exist.

    ``report`` is called with the name of each part before it starts.

    Raises:
        LaptopError: A part did not start, or a port is taken.
    """
    config.state.mkdir(parents=True, exist_ok=True)
    close_to_others(config)
    supervisor = Supervisor(config.state)
    _stop_what_cannot_go_on(config, supervisor, report)
    _check_ports(config, supervisor)
    report("PostgreSQL")
    server = postgres.start(config, supervisor, (airflow_environment.DATABASE,))
    env = airflow_environment.environment(config, bootstrap.settings(), server)
    # Airflow's API server takes longest, so everything else starts meanwhile.
    with ThreadPoolExecutor(1) as background:
        airflow.start_zygote(config, supervisor, env)
        early = background.submit(airflow.start_early, config, supervisor, server, env)
        api_server = background.submit(airflow.wait_for_api_server, config, supervisor)
        report("local cloud")
        cloud.start(config, supervisor)
        aws = Aws(config)
        resources = provision.create_resources(config, aws, server, report)
        databases = tuple(workload.name for workload in resources.workloads if workload.database)
        postgres.create_databases(server, databases)
        report("source tables")
        # Airflow's scheduler runs an hourly ingest as soon as it knows its DAG.
        refused = replay.fill_source_tables(server, resources.workloads, config.data)
        tracking.start(config, supervisor, aws)
        report("Airflow")
        airflow.refresh_credentials(config, aws, Role("airflow").arn)
        parses = early.result()
        airflow.start(config, supervisor, env, parses)
        api_server.result()
    tracking.wait_until_ready(config, supervisor)
    return Stack(config, aws, server, resources, refused)


def stop(config: LaptopConfig) -> list[str]:
    """Stops the processes of this run folder and returns their names."""
    supervisor = Supervisor(config.state)
    stopped = airflow.stop(supervisor)
    # While Airflow stops, it still writes to the local cloud and to PostgreSQL. So they stop after it, with whatever
    # another version of the project has started in this run folder.
    return stopped + supervisor.stop(*supervisor.names())


def restart(config: LaptopConfig, names: Sequence[str], report: Callable[[str], None]) -> Stack | None:
    """Stops processes and starts them as they were started; what did not run is started as :func:`start` does.

    Returns:
        The stack, where :func:`start` was needed.

    Raises:
        LaptopError: A part did not start.
    """
    supervisor = Supervisor(config.state)
    _stop_what_cannot_go_on(config, supervisor, report)  # then all of the stack is started
    specifications = [supervisor.specification(name) for name in names]
    for stopped in supervisor.stop(*names, kill_soon=airflow.KILL_SOON):
        report(f"{stopped} is stopped")
    if not all(specifications):
        return start(config, report)
    for specification in filter(None, specifications):
        report(f"{specification.name} is started")
        supervisor.launch(specification)
    waits: dict[str, Callable[[LaptopConfig, Supervisor], object]] = {
        parts.ZYGOTE: lambda *_: None,  # its forks wait for it
        postgres.NAME: postgres.wait_until_ready,
        cloud.NAME: cloud.wait_until_ready,
        tracking.NAME: tracking.wait_until_ready,
        **dict.fromkeys(airflow.PROCESSES, airflow.wait_until_ready),
    }
    for wait in {waits[name]: None for name in names}:
        wait(config, supervisor)
    return None


def close_to_others(config: LaptopConfig) -> None:
    """Gives the run folder and what is in it modes of the owner alone; earlier versions left them open."""
    config.state.chmod(postgres.RUN_FOLDER_MODE if os.geteuid() == 0 else 0o700)
    for path in config.state.iterdir():
        if not path.is_symlink() and path.owner() == config.state.owner():
            path.chmod(0o700 if path.is_dir() else 0o600)


def clean(config: LaptopConfig) -> None:
    """Stops everything and deletes the run folder."""
    stop(config)
    if config.state.is_dir():
        shutil.rmtree(config.state)


def _stop_what_cannot_go_on(config: LaptopConfig, supervisor: Supervisor, report: Callable[[str], None]) -> None:
    """Stops what has no supervisor any more, or one of another version of the project; before anything is changed."""
    supervisor.stop_unsupervised()
    if supervisor.has_other_code():
        report("everything again: the supervisor is of another version of the project")
        stop(config)


def _check_ports(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Checks every port before anything starts: Airflow would notice a taken port only minutes later."""
    if supervisor.find(cloud.NAME) is None:
        require_free(config.cloud_port, "NIGHTJAR_CLOUD_PORT", "the local AWS endpoint")
        service_ports.require_free_ports(config)
    if supervisor.find(parts.API) is None:
        require_free(config.airflow_port, "NIGHTJAR_AIRFLOW_PORT", "Airflow")
