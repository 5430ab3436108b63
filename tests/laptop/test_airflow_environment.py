"""What the environment sets so that a slow machine is not taken for a broken one."""

from __future__ import annotations

from pathlib import Path

from infra.laptop import airflow_environment, bootstrap
from infra.laptop.config import LaptopConfig
from infra.laptop.postgres import Postgres


def test_a_triggerer_that_makes_its_execution_api_is_not_called_dead(tmp_path: Path) -> None:
    """The first trigger that asked for a run took 95 s on a busy machine, and `make backfill` ended with an error."""
    config = LaptopConfig(run=tmp_path)
    server = Postgres(5432, "secret")
    found = airflow_environment.environment(config, bootstrap.settings(), server)
    assert int(found["AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD"]) > 95
