from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from infra.laptop.config import LaptopConfig, LaptopError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("NIGHTJAR_"):
            monkeypatch.delenv(name)


def test_defaults_are_the_documented_ports() -> None:
    config = LaptopConfig.from_env()
    assert (config.airflow_port, config.service_port, config.cloud_port, config.history_days) == (8080, 8000, 4566, 60)


def test_reads_the_environment_and_resolves_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTJAR_HOME", "somewhere")
    monkeypatch.setenv("NIGHTJAR_NIGHT", "2013-03-10")
    monkeypatch.setenv("NIGHTJAR_HISTORY_DAYS", "10")
    monkeypatch.setenv("NIGHTJAR_AIRFLOW_PORT", "")
    config = LaptopConfig.from_env()
    assert config.state == tmp_path / "somewhere" / "run"
    assert config.python("glue") == tmp_path / "somewhere" / "venvs" / "glue" / "bin" / "python"
    assert config.first_day == date(2013, 3, 1)
    assert config.airflow_port == 8080


def test_the_run_folder_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_RUN", str(tmp_path / "x"))
    assert LaptopConfig.from_env().state == tmp_path / "x"


def test_overrides_replace_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_RUN", str(tmp_path / "x"))
    assert LaptopConfig.from_env(run=tmp_path / "y").state == tmp_path / "y"


def test_every_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_AIRFLOW_PORT", "eighty")
    monkeypatch.setenv("NIGHTJAR_NIGHT", "yesterday")
    with pytest.raises(LaptopError, match=r"(?s)NIGHTJAR_AIRFLOW_PORT: .*NIGHTJAR_NIGHT: "):
        LaptopConfig.from_env()


def test_two_servers_cannot_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_AIRFLOW_PORT", "9000")
    monkeypatch.setenv("NIGHTJAR_CLOUD_PORT", "9000")
    with pytest.raises(LaptopError, match="four different ports"):
        LaptopConfig.from_env()


def test_a_variable_that_nothing_reads_is_named_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_AIRFLOW_PROT", "9000")
    monkeypatch.setenv("NIGHTJAR_COLOUR", "red")
    monkeypatch.setenv("NIGHTJAR_LAKE_BUCKET", "lake")  # the DAGs read it
    expected = r"(?s)NIGHTJAR_AIRFLOW_PROT: did you mean NIGHTJAR_AIRFLOW_PORT\?\n  NIGHTJAR_COLOUR$"
    with pytest.raises(LaptopError, match=expected):
        LaptopConfig.from_env()
