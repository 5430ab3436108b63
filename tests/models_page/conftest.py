"""Fixtures of the models page's tests: the page on Airflow's database, and people who are logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from include.settings import settings
from tests.support.airflow_database import DAG, EmptyOperator, airflow_database, store_dag
from tests.support.dag_files import load, platform_settings
from tests.support.job_clouds import cloud, on_cloud
from tests.support.models_page import DAG as DAG_ID
from tests.support.models_page import ListedRegistry, Person, Sources, made, page
from tests.support.models_page_runs import no_runs

__all__ = ["cloud", "on_cloud"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow's database with a deploy DAG of the real one's Params."""
    with airflow_database(tmp_path_factory.mktemp("airflow")):
        with DAG(DAG_ID, params=load("deploy").PARAMS, schedule=None, tags=["nightjar", "deploy", "flights"]) as dag:
            EmptyOperator(task_id="resolve")
        store_dag(dag, tmp_path_factory.mktemp("dags"))
        yield


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """The page as in a new process."""
    page.sources.forget_all()
    settings.cache_clear()
    with platform_settings():
        yield
    page.sources.forget_all()


@pytest.fixture
def aws(nothing_kept: None, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Versions 1 to 3, of which 2 is live and 3 waits for approval."""
    registry = ListedRegistry([made(3, "PendingManualApproval"), made(2), made(1)])
    used = Sources(registry, metrics={"DriftedFeatures": 2, "ProductionAuc": 0.6912})
    used.go_live(2, 1)
    monkeypatch.setattr(page.sources, "sources", lambda: used)
    return used


@pytest.fixture
def person(database: None, nothing_kept: None) -> Callable[[str], Person]:
    """``person("ann")``: the browser of a user."""
    client = TestClient(page.mounted(), raise_server_exceptions=True)
    return lambda name: Person(client, name)


@pytest.fixture
def new_dag(database: None) -> None:
    """The deploy DAG without runs."""
    no_runs()


@pytest.fixture
def ann(person: Callable[[str], Person]) -> Person:
    """A person who may change things."""
    return person("ann")
