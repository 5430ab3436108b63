"""The platform as a whole: up, down, away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from infra.laptop import airflow, cloud, postgres
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Platform, bootstrap
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.ports import require_free
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor


@dataclass(frozen=True)
class Up:
    """A platform that runs."""

    config: LaptopConfig
    aws: Aws
    postgres: Postgres
    platform: Platform


def up(config: LaptopConfig, say: Callable[[str], None]) -> Up:
    """Starts what does not run and creates what is not there; ``say`` is told what comes next."""
    config.state.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(config.state)
    _check_ports(config, supervisor)
    say("PostgreSQL")
    server = postgres.start(config, supervisor, (airflow.DATABASE,))
    say("local cloud")
    cloud.start(config, supervisor)
    say("AWS resources")
    aws = Aws(config)
    platform = bootstrap(config, aws, server)
    postgres.create_databases(server, tuple(workload.name for workload in platform.workloads if workload.database))
    say("Airflow")
    record = supervisor.find(cloud.NAME)
    if record is None:
        raise LaptopError(f"The local cloud ended.\n{supervisor.tail(cloud.NAME)}")
    env = airflow.environment(config, aws, platform, server, f"{record.pid}-{record.created}")
    airflow.start(config, supervisor, server, env)
    return Up(config, aws, server, platform)


def down(config: LaptopConfig) -> list[str]:
    """Stops what this run folder started; the names of what was stopped."""
    supervisor = Supervisor(config.state)
    stopped = supervisor.stop(*airflow.PROCESSES)
    # What Airflow still says on its way out goes to the cloud and to PostgreSQL, so they end after it.
    return stopped + supervisor.stop(cloud.NAME) + supervisor.stop(postgres.NAME)


def clean(config: LaptopConfig) -> None:
    """Stops everything and deletes the platform's state."""
    down(config)
    if config.state.is_dir():
        shutil.rmtree(config.state)


def _check_ports(config: LaptopConfig, supervisor: Supervisor) -> None:
    """All ports before anything starts: one message now is better than three minutes later."""
    if supervisor.find(cloud.NAME) is None:
        require_free(config.cloud_port, "NIGHTJAR_CLOUD_PORT", "the local AWS endpoint")
        require_free(config.service_port, "NIGHTJAR_SERVICE_PORT", "the first service's load balancer")
    if supervisor.find(airflow.API) is None:
        require_free(config.airflow_port, "NIGHTJAR_AIRFLOW_PORT", "Airflow")
