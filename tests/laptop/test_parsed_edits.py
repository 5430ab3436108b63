"""An edit of what the DAG files import is noted as parsed only if a DAG processor parses it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.laptop import airflow
from infra.laptop.config import LaptopConfig
from infra.laptop.processes import Supervisor


class Processes(Supervisor):
    """A supervisor whose processes are names."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.run: set[str] = set()
        self.at_start: Callable[[str], object] = lambda name: None

    def find(self, name: str) -> Any:
        return name if name in self.run else None

    def start(self, name: str, *_: object, **__: object) -> Any:
        if name not in self.run:
            self.run.add(name)
            self.at_start(name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Airflow was asked for."""
    found: list[str] = []

    class Api:
        def __init__(self, url: str) -> None:
            pass

        def parse_dag_files(self) -> None:
            found.append("parse")

    class Connection:
        """To a database that was migrated."""

        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def execute(self, statement: str) -> Connection:
            return self

        def fetchone(self) -> tuple[None]:
            return (None,)

    class Done:
        returncode = 0

    monkeypatch.setattr(airflow, "Airflow", Api)
    monkeypatch.setattr(airflow, "create_pools", lambda client: None)
    monkeypatch.setattr(airflow, "wait_until_ready", lambda *_: None)
    monkeypatch.setattr(psycopg, "connect", lambda *_, **__: Connection())
    monkeypatch.setattr(airflow.subprocess, "run", lambda *_, **__: Done())
    return found


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that a DAG file imports."""
    file = tmp_path / "source" / "workload.py"
    file.parent.mkdir()
    file.write_text("")
    digest = airflow.project_digest
    monkeypatch.setattr(airflow, "project_digest", lambda: digest([file.parent]))
    return file


class Server:
    """PostgreSQL."""

    def url(self, database: str) -> str:
        return database


def edit(source: Path) -> None:
    source.write_text(source.read_text() + "# an edit\n")


@pytest.fixture
def run(tmp_path: Path) -> tuple[Callable[[], None], Processes]:
    """`make run`, as far as Airflow's processes go, and these."""
    config = LaptopConfig(home=tmp_path / "home", run=tmp_path / "run")
    config.logs.mkdir(parents=True)
    supervisor, server = Processes(config.state), Server()
    env = {"AIRFLOW_HOME": os.fspath(tmp_path)}

    def start() -> None:
        parses = airflow.start_early(config, supervisor, server, env)  # type: ignore[arg-type]
        airflow.start(config, supervisor, env, parses)

    return start, supervisor


def test_a_new_dag_processor_parses_and_is_not_asked(
    run: tuple[Callable[[], None], Processes], source: Path, asked: list[str]
) -> None:
    start, _ = run
    start()
    start()
    assert asked == []
    edit(source)
    start()
    assert asked == ["parse"]
    start()
    assert asked == ["parse"]


def test_one_that_ran_is_asked_although_another_process_was_dead(
    run: tuple[Callable[[], None], Processes], source: Path, asked: list[str]
) -> None:
    start, supervisor = run
    start()
    edit(source)
    supervisor.run.remove(airflow.SCHEDULER)
    start()
    assert asked == ["parse"]


def test_an_edit_while_it_starts_is_not_noted_as_parsed(
    run: tuple[Callable[[], None], Processes], source: Path, asked: list[str]
) -> None:
    start, supervisor = run
    supervisor.at_start = lambda name: edit(source) if name == airflow.DAG_PROCESSOR else None
    start()
    start()
    assert asked == ["parse"]
