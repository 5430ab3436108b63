from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from infra.laptop.config import LaptopConfig, LaptopError


def test_defaults_are_the_documented_ports() -> None:
    config = LaptopConfig.from_env({})
    assert (config.airflow_port, config.service_port, config.cloud_port, config.history_days) == (8080, 8000, 4566, 60)


def test_reads_the_environment_and_resolves_paths(tmp_path: Path) -> None:
    config = LaptopConfig.from_env(
        {"NIGHTJAR_HOME": str(tmp_path), "NIGHTJAR_NIGHT": "2013-03-10", "NIGHTJAR_HISTORY_DAYS": "10"}
    )
    assert config.state == tmp_path / "run"
    assert config.first_day == date(2013, 3, 1)


def test_run_folder_may_lie_elsewhere(tmp_path: Path) -> None:
    assert LaptopConfig.from_env({"NIGHTJAR_RUN": str(tmp_path / "x")}).state == tmp_path / "x"


def test_every_wrong_setting_is_named() -> None:
    with pytest.raises(LaptopError, match=r"(?s)NIGHTJAR_AIRFLOW_PORT.*NIGHTJAR_NIGHT"):
        LaptopConfig.from_env({"NIGHTJAR_AIRFLOW_PORT": "eighty", "NIGHTJAR_NIGHT": "yesterday"})


def test_two_servers_cannot_share_a_port() -> None:
    with pytest.raises(LaptopError, match="three different ports"):
        LaptopConfig.from_env({"NIGHTJAR_AIRFLOW_PORT": "9000", "NIGHTJAR_CLOUD_PORT": "9000"})
