"""Which changes in Airflow's database wake the laptop's scheduler: those after which it may have something to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from infra.laptop.airflow_environment import SITE
from tests.support.postgres_db import postgres_uri

__all__ = ["postgres_uri"]
pytestmark = pytest.mark.stack
TABLES = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE dag_run (state text); CREATE TABLE task_instance (state text); CREATE TABLE dag (is_paused bool);
CREATE TABLE asset_dag_run_queue (asset_id int);
"""


@pytest.fixture
def database(postgres_uri: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute((SITE.parent / "airflow_wakeup.sql").read_text())
        connection.execute("LISTEN nightjar_scheduler")
        yield connection


def wakes(database: psycopg.Connection[Any], table: str, before: str | None, after: str | None) -> bool:
    database.execute(f"DELETE FROM {table}")
    database.execute(f"INSERT INTO {table} VALUES (%s)", [before])
    list(database.notifies(timeout=0))
    database.execute(f"UPDATE {table} SET state = %s", [after])
    return bool(list(database.notifies(timeout=0)))


@pytest.mark.parametrize("after", ["success", "failed", "skipped", "upstream_failed", "up_for_retry", "deferred", None])
def test_a_task_that_needs_no_process_any_more_wakes_it(database: psycopg.Connection[Any], after: str | None) -> None:
    assert wakes(database, "task_instance", "running", after)
    assert not wakes(database, "task_instance", after, after)


def test_a_task_whose_trigger_has_fired_wakes_it(database: psycopg.Connection[Any]) -> None:
    assert wakes(database, "task_instance", "deferred", "scheduled")


@pytest.mark.parametrize(("before", "after"), [(None, "scheduled"), ("scheduled", "queued"), ("queued", "running")])
def test_what_it_does_itself_and_a_start_do_not(
    database: psycopg.Connection[Any], before: str | None, after: str
) -> None:
    assert not wakes(database, "task_instance", before, after)


@pytest.mark.parametrize("after", ["queued", "success", "failed"])
def test_a_run_that_is_due_again_or_has_ended_wakes_it(database: psycopg.Connection[Any], after: str) -> None:
    assert wakes(database, "dag_run", "running", after)
    assert not wakes(database, "dag_run", "queued", "running")
