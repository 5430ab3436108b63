"""Airflow's own database in a file, for tests that call Airflow in this process, with the users of its simple login."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.parsed_dags import AIRFLOW_HOME

os.environ.setdefault("AIRFLOW_HOME", AIRFLOW_HOME.name)

import pytest
from airflow import settings
from airflow.api_fastapi.app import create_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dagbundle import DagBundleModel
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.utils.db import synchronize_log_template
from airflow.utils.session import create_session

__all__ = ["DAG", "ROLES", "EmptyOperator", "airflow_database", "store_dag", "token"]

BUNDLE = "tests"
ROLES = {"ann": "admin", "uma": "user", "vera": "viewer", "nora": None}
"""The users; the last one has no role, and so no right."""


@contextmanager
def airflow_database(folder: Path) -> Iterator[None]:
    """Airflow in this process, with empty tables and its simple login."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of a test that has at least sixty-four characters in it.",
            "AIRFLOW__API__BASE_URL": "http://testserver",
        }.items():
            patch.setenv(name, value)
        _connect()
        import_all_models()
        Base.metadata.create_all(settings.engine)
        synchronize_log_template()
        purge_cached_app()
        create_auth_manager().init()
        try:
            yield
        finally:
            settings.dispose_orm(do_log=False)
            purge_cached_app()
    _connect()


def _connect() -> None:
    settings.dispose_orm(do_log=False)
    settings.configure_vars()
    settings.configure_orm()


def store_dag(dag: DAG, folder: Path) -> None:
    """Stores a DAG as the DAG processor does.

    Args:
        dag: The DAG.
        folder: An empty folder.
    """
    bag = DagBag(dag_folder=str(folder), bundle_path=folder, bundle_name=BUNDLE)
    bag.bag_dag(dag)
    with create_session() as session:
        session.merge(DagBundleModel(name=BUNDLE))
        session.commit()
        sync_bag_to_db(bag, BUNDLE, None, session=session)


def token(name: str) -> str:
    """The token that a user has after the login."""
    user: Any = SimpleAuthManagerUser(username=name, role=ROLES[name])
    return create_auth_manager().generate_jwt(user)
