"""MLflow beside the stack: off unless asked for, on the loopback address, with a role of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop import parts, tracking
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    return LaptopConfig(home=tmp_path, run=tmp_path / "run", tracking=True)


def test_it_is_off_unless_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIGHTJAR_TRACKING", raising=False)
    config = LaptopConfig(home=tmp_path)
    assert not config.tracking
    supervisor = Supervisor(config.state)
    tracking.start(config, supervisor, Aws(config))
    assert supervisor.record(tracking.NAME) is None and not supervisor.pids.exists()
    monkeypatch.setenv("NIGHTJAR_TRACKING", "1")
    assert LaptopConfig.from_env().tracking


def test_without_its_environment_the_text_says_what_installs_it(config: LaptopConfig) -> None:
    with pytest.raises(LaptopError, match="`make tracking` installs it"):
        tracking.start(config, Supervisor(config.state), Aws(config))


def test_it_listens_on_the_loopback_address_and_has_no_key_of_the_operator(config: LaptopConfig) -> None:
    command, environment = tracking.command(config), tracking.environment(config)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert "s3://nightjar-artifact/mlflow/" in command
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert not {name for name in environment if "KEY" in name or "SECRET" in name}


def test_its_port_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="four different ports"):
        LaptopConfig(home=tmp_path, tracking_port=4566)


def test_commands_that_take_a_process_know_it() -> None:
    assert parts.find("mlflow") == (parts.TRACKING,)
    assert parts.TRACKING not in parts.ALL, "a stack without it is whole"
