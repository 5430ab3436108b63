"""A new stack's source tables are filled before Airflow's scheduler starts: it runs each hourly ingest at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from include.workloads import Workload, load
from infra.laptop import (
    airflow,
    airflow_environment,
    cloud,
    postgres,
    provision,
    replay,
    stack,
    tracking,
)
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor

REFUSED = "the tables of ads are refused"


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What a start does, in order. Of its parts only the names are recorded; ``ads``' tables are refused."""
    events: list[str] = []

    def records(module: ModuleType, *names: str, returns: Any = None) -> None:
        for name in names:
            monkeypatch.setattr(module, name, partial(record, f"{module.__name__.rpartition('.')[2]}.{name}", returns))

    def record(text: str, returns: Any, *_: Any) -> Any:
        events.append(text)
        return returns

    flights = load("flights")
    found = (flights.model_copy(update={"name": "ads"}), flights, flights.model_copy(update={"name": "own"}))
    records(postgres, "start", "create_databases")
    records(airflow, "start_zygote", "start_early", "wait_for_api_server", "refresh_credentials", "start")
    records(airflow_environment, "environment", returns={})
    records(cloud, "start")
    records(provision, "create_resources", returns=SimpleNamespace(workloads=found))
    records(tracking, "start", "wait_until_ready")
    monkeypatch.setattr(stack, "Aws", lambda config: None)
    monkeypatch.setattr(Supervisor, "find", lambda self, name: object())
    monkeypatch.setattr(Supervisor, "has_other_code", lambda self: False)
    monkeypatch.setattr(Supervisor, "stop_unsupervised", lambda self: None)
    monkeypatch.setattr(replay, "has_history", lambda name: name != "own")

    def load_tables(server: object, workload: Workload, data: Path) -> dict[str, int]:
        if workload.name == "ads":
            raise LaptopError(REFUSED)
        events.append(f"tables of {workload.name}")
        return {"planes": 3}

    monkeypatch.setattr(replay, "load_tables", load_tables)
    started = stack.start(LaptopConfig(run=tmp_path), events.append)
    assert started.refused_tables == {"ads": REFUSED}
    return events


def test_they_are_filled_before_the_scheduler_starts(happened: list[str]) -> None:
    at = happened.index
    assert at("postgres.create_databases") < at("tables of flights") < at("airflow.start")
    assert "source tables of flights: planes +3" in happened


def test_one_that_is_refused_stops_nothing_else_and_is_reported(happened: list[str]) -> None:
    assert f"ads_ingest_tables will fail: {REFUSED}" in happened
    assert happened[-1] == "tracking.wait_until_ready"


def test_without_history_the_tables_are_the_persons_own(happened: list[str]) -> None:
    assert not [event for event in happened if "own" in event]
