"""Snapshots of a real PostgreSQL: consistency, names, secrets, types."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from nightjar.tables.snapshot import json_value, snapshot

from tests.support.moto_cloud import MotoCloud
from tests.support.postgres_db import COLUMNS, PASSWORD, SECRET, TABLE, insert

pytestmark = pytest.mark.stack


def test_all_tables_are_read_as_of_one_instant(db: Any, postgres_uri: str) -> None:
    insert(db, "before")
    with snapshot(SECRET) as source:
        list(source.rows(TABLE, COLUMNS, "updated_at", None, source.upper))
        with psycopg.connect(postgres_uri, autocommit=True) as other:
            other.execute("INSERT INTO weather VALUES ('after', 1, now() - interval '1 day')")
        assert [row["origin"] for row in source.rows(TABLE, COLUMNS, "updated_at", None, source.upper)] == ["before"]


def test_the_bounds_are_open_below_and_closed_above(db: Any) -> None:
    for hour in (1, 2, 3):
        db.execute("INSERT INTO weather VALUES (%s, 1, %s)", (str(hour), datetime(2013, 3, 1, hour, tzinfo=UTC)))
    low, high = datetime(2013, 3, 1, 1, tzinfo=UTC), datetime(2013, 3, 1, 2, tzinfo=UTC)
    with snapshot(SECRET) as source:
        assert [row["origin"] for row in source.rows(TABLE, COLUMNS, "updated_at", low, high)] == ["2"]


def test_the_snapshot_cannot_write(db: Any) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshot(SECRET) as source:
        source.connection.execute("DELETE FROM weather")


def test_names_are_quoted(db: Any) -> None:
    name = 'x"; DROP TABLE weather; --'
    quoted = '"x""; DROP TABLE weather; --"'
    db.execute(f'CREATE TABLE {quoted} ({quoted} text, "order" timestamptz)'.encode())
    db.execute(f"INSERT INTO {quoted} VALUES ('v', now() - interval '1 day')".encode())
    with snapshot(SECRET) as source:
        (row,) = source.rows(name, {name: "string", "order": "timestamp"}, "order", None, source.upper)
    assert row[name] == "v"
    assert db.execute("SELECT count(*) FROM weather").fetchone() == (0,)


def test_the_password_is_in_no_log_and_no_error(db: Any, cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    broken = {"host": "127.0.0.1", "port": 1, "dbname": "d", "username": "u", "password": PASSWORD}
    cloud.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=json.dumps(broken))
    with caplog.at_level(logging.DEBUG), pytest.raises(psycopg.OperationalError) as caught, snapshot(SECRET):
        pass
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in "\n".join(
        r.getMessage() for r in caplog.records if r.name.startswith(("nightjar", "airflow.task", "psycopg"))
    )


def test_a_secret_that_lacks_a_field_names_it(cloud: MotoCloud) -> None:
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString='{"host": "h"}')
    with pytest.raises(ValueError, match="lacks port, dbname, username, password"), snapshot(SECRET):
        pass


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, "string", None),
        (True, "boolean", True),
        (3, "integer", 3),
        ("é", "string", "é"),
        (Decimal("39.02"), "number", 39.02),
        (Decimal("39.020"), "string", "39.020"),
        (Decimal(7), "integer", 7),
        (Decimal("NaN"), "number", None),
        (float("nan"), "number", None),
        (float("inf"), "number", None),
        (0.1, "number", 0.1),
        (datetime(2013, 3, 1, 10, tzinfo=UTC), "timestamp", "2013-03-01T10:00:00Z"),
        (datetime(2013, 3, 1, 10, tzinfo=UTC).replace(tzinfo=None), "timestamp", "2013-03-01T10:00:00Z"),
        (date(2013, 3, 1), "timestamp", "2013-03-01T00:00:00Z"),
        (date(2013, 3, 1), "string", "2013-03-01"),
        (time(10, 30), "string", "10:30:00"),
        (UUID(int=1), "string", "00000000-0000-0000-0000-000000000001"),
        ({"a": [1]}, "string", {"a": [1]}),
    ],
)
def test_values_are_json_native(value: Any, kind: str, expected: Any) -> None:
    found = json_value(value, kind, "t.c")
    assert (found, type(found)) == (expected, type(expected))


def test_a_type_without_a_json_form_names_the_column() -> None:
    with pytest.raises(TypeError, match=r"weather\.raw: a bytes"):
        json_value(b"x", "string", "weather.raw")
