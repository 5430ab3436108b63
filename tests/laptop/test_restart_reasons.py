"""What makes `make run` restart a running process: its configuration, and nothing of the shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop import airflow_environment, bootstrap, cloud, java
from infra.laptop.config import LaptopConfig
from infra.laptop.postgres import Postgres

SERVER = Postgres(5432, "secret")


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    return LaptopConfig(run=tmp_path)


def airflow_digest(config: LaptopConfig, server: Postgres = SERVER) -> str:
    return airflow_environment.digest(airflow_environment.environment(config, bootstrap.settings(), server))


def test_another_shell_does_not_restart_airflow(config: LaptopConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It did, and killed the tasks that ran."""
    before = airflow_digest(config)
    for name in airflow_environment.INHERITED:
        monkeypatch.setenv(name, "/somewhere/else")
    assert airflow_digest(config) == before
    monkeypatch.delenv("PATH")
    assert airflow_digest(config) == before


def test_another_configuration_restarts_airflow(config: LaptopConfig) -> None:
    before = airflow_digest(config)
    assert airflow_digest(config, Postgres(5433, "secret")) != before
    assert airflow_digest(config.model_copy(update={"airflow_port": 9999})) != before


def test_another_java_on_the_path_does_not_restart_the_local_cloud(
    config: LaptopConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "find", lambda home: None)
    before = cloud.settings(config)
    monkeypatch.setattr(java, "find", lambda home: Path("/opt/java"))
    after = cloud.settings(config)
    assert after != before and cloud.configuration_digest(after) == cloud.configuration_digest(before)
    other_port = config.model_copy(update={"cloud_port": 9999})
    assert cloud.configuration_digest(cloud.settings(other_port)) != cloud.configuration_digest(before)
