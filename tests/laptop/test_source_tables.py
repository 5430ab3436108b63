"""A new stack's source tables are filled before Airflow's scheduler starts: it runs each hourly ingest at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest

import infra.laptop.__main__ as commands
from include.workloads import Workload, load
from infra.laptop import (
    airflow,
    airflow_environment,
    cloud,
    parts,
    postgres,
    provision,
    replay,
    stack,
    tracking,
)
from infra.laptop.bootstrap import Resources
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import HistorySource
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
    assert at("postgres.create_databases") < at("source tables") < at("tables of flights") < at("airflow.start")


def test_one_that_is_refused_stops_nothing_else(happened: list[str]) -> None:
    assert happened[-1] == "tracking.wait_until_ready"


def test_without_history_the_tables_are_the_persons_own(happened: list[str]) -> None:
    assert not [event for event in happened if "own" in event]


@pytest.mark.parametrize("command", [["up"], ["restart"], ["restart", "--what", "mlflow"]], ids=" ".join)
def test_one_that_is_refused_is_told_on_stderr_after_the_parts(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing: Any = None
    resources = Resources(nothing, (), "sha", {}, {"broken": "it does not load"})
    started = stack.Stack(LaptopConfig(run=tmp_path), nothing, nothing, resources, {"ads": REFUSED})
    monkeypatch.setattr(stack, "start", lambda config, report: started)
    monkeypatch.setattr(stack, "stop", lambda config: [])
    monkeypatch.setattr(parts, "find", lambda what: ["mlflow"])
    monkeypatch.setenv("NIGHTJAR_RUN", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["laptop", *command])
    assert commands.main() == 0
    out, err = capsys.readouterr()
    assert "The workload broken is left out.\nit does not load\n" in err
    assert f"The source tables of ads are not filled: ads_ingest_tables will fail.\n{REFUSED}\n" in err
    assert REFUSED not in out


class Database:
    """The part of a connection that filling uses; it keeps the rows that it is given."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def execute(self, statement: object) -> SimpleNamespace:
        assert statement
        return SimpleNamespace(rowcount=1)

    def cursor(self) -> Database:
        return self

    @contextmanager
    def copy(self, statement: object) -> Iterator[Database]:
        assert statement
        yield self

    def write_row(self, row: list[Any]) -> None:
        for value in row:
            str(value).encode()  # as psycopg does
        self.rows.append(row)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("a", 1)], "source.py cannot be used: TypeError: a row of table shops is"),
        ([{"id": 1}, ("b", 2)], "source.py cannot be used: TypeError: a row of table shops is"),
        ([{"id": "\ud800"}], "PostgreSQL refuses the tables of ads's history: 'utf-8' codec can't encode"),
    ],
)
def test_a_history_of_a_wrong_form_concerns_its_own_workload_alone(
    rows: list[Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, flights = Database(), load("flights")
    histories: dict[str, Any] = {"ads": rows, "flights": [{"id": 1, "name": "a"}, {"name": "b", "id": 2}]}

    def opened(name: str, data: Path) -> HistorySource:
        module: Any = SimpleNamespace(DDL={"shops": "create table shops"}, tables=lambda _: {"shops": histories[name]})
        return HistorySource(name, data, date.min, date.max, timedelta(0), module)

    @contextmanager
    def connect(url: str) -> Iterator[Database]:
        assert url
        yield database

    monkeypatch.setattr(replay, "has_history", lambda name: True)
    monkeypatch.setattr(HistorySource, "open", opened)
    monkeypatch.setattr(psycopg, "connect", connect)
    server: Any = SimpleNamespace(url=lambda name: name)
    refused = replay.fill_source_tables(server, [flights.model_copy(update={"name": "ads"}), flights], tmp_path)
    assert list(refused) == ["ads"] and reason in refused["ads"]
    assert database.rows[-2:] == [[1, "a"], [2, "b"]], "each value in its column, in whatever order a row has them"
