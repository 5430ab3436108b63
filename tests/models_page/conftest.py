"""Fixtures of the models page's tests: the page on Airflow's database, and people who are logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from models_page import sources
from models_page.app import app

from include.settings import settings
from tests.support.airflow_database import airflow_database, store_dags
from tests.support.dag_files import platform_settings
from tests.support.models_page import ListedRegistry, Person, Sources, application, made
from tests.support.parsed_dags import ROOT


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow's database with the deploy DAGs of the tree."""
    with airflow_database(tmp_path_factory.mktemp("airflow")):
        store_dags(ROOT / "dags" / "deploy.py")
        yield


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    """Versions 1 to 3, of which 2 is live and 3 waits for approval."""
    registry = ListedRegistry([made(3, "PendingManualApproval"), made(2), made(1)])
    used = Sources(registry, metrics={"DriftedFeatures": 2, "ProductionAuc": 0.6912})
    used.go_live(2, 1)
    monkeypatch.setattr(sources, "sources", lambda: used)
    sources.forget_all()
    settings.cache_clear()
    with platform_settings():
        yield used
    sources.forget_all()


@pytest.fixture
def person(database: None, aws: Sources) -> Callable[[str], Person]:
    """``person("ann")``: the browser of a user."""
    client = TestClient(application(app), raise_server_exceptions=False)
    return lambda name: Person(client, name)
