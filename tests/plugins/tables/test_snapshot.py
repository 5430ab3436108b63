"""Snapshots of a real PostgreSQL: consistency, names, types, watermarks, open transactions."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from nightjar.tables.reader import ROW_BYTES, TableError
from nightjar.tables.snapshot import Snapshot, snapshot

from tests.support.moto_cloud import MotoCloud
from tests.support.postgres_db import COLUMNS, SECRET, TABLE, insert

pytestmark = pytest.mark.stack
WEATHER = {name: (name, kind) for name, kind in COLUMNS.items()}
DAY = timedelta(days=1)


def read(
    source: Snapshot,
    relation: str = TABLE,
    columns: dict[str, tuple[str, str]] = WEATHER,
    watermark: str = "updated_at",
    low: datetime | None = None,
    zone: str | None = None,
) -> list[dict[str, Any]]:
    """The good rows, and the reasons of the others."""
    with source.table(relation, columns, watermark, zone) as table:
        return [{"refused": row.refused} if row.refused else json.loads(row.text) for row in table.rows(low)]


def test_all_tables_are_read_as_of_one_instant(db: Any, postgres_uri: str) -> None:
    insert(db, "before")
    with snapshot(SECRET) as source:
        read(source)
        with psycopg.connect(postgres_uri, autocommit=True) as other:
            other.execute("INSERT INTO weather VALUES ('after', 1, now() - interval '1 day')")
        assert [row["origin"] for row in read(source)] == ["before"]


def test_the_bounds_are_open_below_and_closed_above(db: Any) -> None:
    with snapshot(SECRET) as source:
        stamps = {"0": source.upper - DAY, "1": source.upper, "2": source.upper + timedelta(microseconds=1)}
    for origin, stamp in stamps.items():
        db.execute("INSERT INTO weather VALUES (%s, 1, %s)", (origin, stamp))
    upper = stamps["1"]
    with snapshot(SECRET, clock=lambda: upper) as source:
        assert source.upper == upper
        assert [row["origin"] for row in read(source)] == ["0", "1"]
        assert [row["origin"] for row in read(source, low=upper - DAY)] == ["1"]


def test_a_database_whose_clock_is_ahead_does_not_move_the_bound(db: Any) -> None:
    present = datetime.now(UTC) - timedelta(days=365)
    with snapshot(SECRET, clock=lambda: present) as source:
        assert (source.upper, source.oldest_open) == (present, present)


def test_the_snapshot_cannot_write(db: Any) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), snapshot(SECRET) as source:
        source.connection.execute("DELETE FROM weather")


def test_names_are_quoted(db: Any) -> None:
    name = 'x"; DROP TABLE weather; --'
    quoted = '"x""; DROP TABLE weather; --"'
    db.execute(f'CREATE TABLE {quoted} ({quoted} text, "order" timestamptz)'.encode())
    db.execute(f"INSERT INTO {quoted} VALUES ('100%%', now() - interval '1 day')".encode())
    with snapshot(SECRET) as source:
        (row,) = read(source, name, {name: (name, "string"), "order": ("order", "timestamp")}, "order")
    assert row[name] == "100%%"
    assert db.execute("SELECT count(*) FROM weather").fetchone() == (0,)


def test_schemas_capitals_json_arrays_and_other_types(db: Any) -> None:
    db.execute("CREATE SCHEMA sales; CREATE TYPE mood AS ENUM ('fine'); CREATE DOMAIN price AS numeric(40, 20)")
    db.execute(
        'CREATE TABLE sales."Offers" ("updatedAt" timestamptz, tags text[], doc jsonb, mood mood, price price, '
        "moods mood[], raw bytea, whole numeric)"
    )
    db.execute(
        """INSERT INTO sales."Offers" VALUES (now() - interval '1 day', '{a,"b c",NULL}',
        '{"n": 0.12345678901234567890}', 'fine', 12345678901234567890.12345678901234567890, '{fine}', '\\x00ff', 7)"""
    )
    kinds = {"tags": "string", "doc": "string", "mood": "string", "price": "number", "moods": "string", "raw": "string"}
    columns = {name: (name, kind) for name, kind in kinds.items()}
    columns |= {"whole": ("whole", "integer"), "written": ("updatedAt", "timestamp")}
    with snapshot(SECRET) as source, source.table("sales.Offers", columns, "written", None) as table:
        (row,) = table.rows(None)
    assert row.refused == ""
    assert '"price":12345678901234567890.12345678901234567890,' in row.text
    found = json.loads(row.text)
    assert json.loads(found["tags"]) == ["a", "b c", None]
    assert found["doc"] == '{"n": 0.12345678901234567890}'
    assert (found["mood"], found["moods"], found["raw"], found["whole"]) == ("fine", '["fine"]', "\\x00ff", 7)


def test_a_poison_value_refuses_its_row_and_no_other(db: Any) -> None:
    db.execute(
        "CREATE TABLE poison (name text, at timestamptz, day date, clock time, plain timestamp, number numeric, "
        "double float8, updated_at timestamptz)"
    )
    good = {
        "at": "2013-03-01 10:00+00",
        "day": "2013-03-01",
        "clock": "10:30",
        "plain": "2013-03-01 10:00",
        "number": "1",
        "double": "2",
    }
    bad = [
        ("at", "infinity", "at: is not a time between the years 1 and 9999"),
        ("at", "-infinity", "at: is not a time"),
        ("at", "0044-03-15 00:00+00 BC", "at: is not a time"),
        ("at", "12345-01-01 00:00+00", "at: is not a time"),
        ("at", "294276-12-31 23:59+00", "at: is not a time"),
        ("day", "infinity", "day: is not a time"),
        ("day", "5874897-12-31", "day: is not a time"),
        ("day", "0044-03-15 BC", "day: is not a time"),
        ("plain", "-infinity", "plain: is not a time"),
        ("plain", "294276-12-31 23:59", "plain: is not a time"),
        ("plain", "4713-01-01 00:00 BC", "plain: is not a time"),
        ("number", "NaN", "number: is not a finite number"),
        ("number", "Infinity", "number: is not a finite number"),
        ("double", "-Infinity", "double: is not a finite number"),
        ("clock", "24:00:00", ""),
        ("number", "1e400", ""),
    ]
    for name, value, reason in bad:
        values = [reason, *({**good, name: value}).values()]
        db.execute("INSERT INTO poison VALUES (%s, %s, %s, %s, %s, %s, %s, now() - interval '1 day')", values)
    kinds = {"at": "timestamp", "day": "timestamp", "clock": "string", "plain": "timestamp"}
    kinds |= {"number": "number", "double": "number", "updated_at": "timestamp", "name": "string"}
    columns = {name: (name, kind) for name, kind in kinds.items()}
    with snapshot(SECRET) as source, source.table("poison", columns, "updated_at", "Europe/Berlin") as table:
        rows = list(table.rows(None))
    assert len(rows) == len(bad)
    for row in rows:
        assert row.refused.startswith(json.loads(row.text)["name"]) and bool(row.refused) == bool(
            json.loads(row.text)["name"]
        )
    assert sum(f'"{value}"' in row.text for name, value, _ in bad for row in rows if "infinity" in value) >= 3
    assert any('"number":1' + "0" * 400 + "," in row.text for row in rows), "digits are kept"
    assert any('"clock":"24:00:00"' in row.text for row in rows)
    assert any('"plain":"2013-03-01T09:00:00.000000Z"' in row.text for row in rows), "in Berlin it was an hour earlier"


def test_the_settings_of_the_database_change_no_value(db: Any) -> None:
    db.execute("CREATE TABLE settings (a timestamptz, b float8, updated_at timestamptz)")
    db.execute("INSERT INTO settings VALUES ('2013-03-01 10:00+00', 0.1::float8 + 0.2, now() - interval '1 day')")
    columns = {"a": ("a", "timestamp"), "b": ("b", "number"), "updated_at": ("updated_at", "timestamp")}
    name = db.info.dbname
    changes = {"TimeZone": "America/New_York", "DateStyle": "German", "extra_float_digits": "-15"}
    try:
        for setting, value in changes.items():
            db.execute(f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'".encode())
        with snapshot(SECRET) as source:
            (row,) = read(source, "settings", columns)
            assert abs(source.upper - datetime.now(UTC)) < timedelta(minutes=1)
    finally:
        db.execute(f'ALTER DATABASE "{name}" RESET ALL'.encode())
    assert (row["a"], row["b"]) == ("2013-03-01T10:00:00.000000Z", 0.1 + 0.2)


@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_a_watermark_without_a_zone_needs_one(db: Any, kind: str) -> None:
    db.execute(f"ALTER TABLE weather ALTER updated_at TYPE {kind}".encode())
    with snapshot(SECRET) as source:
        with pytest.raises(TableError, match=rf"weather\.updated_at has the type {kind}.*database: zone"):
            read(source)
        assert read(source, zone="Asia/Tokyo") == []


def test_a_local_watermark_is_read_in_its_zone(db: Any) -> None:
    db.execute("ALTER TABLE weather ALTER updated_at TYPE timestamp")
    db.execute("INSERT INTO weather VALUES ('now', 1, now() AT TIME ZONE 'Asia/Tokyo')")
    db.execute("INSERT INTO weather VALUES ('old', 1, now() AT TIME ZONE 'Asia/Tokyo' - interval '2 hours')")
    with snapshot(SECRET) as source:
        rows = read(source, zone="Asia/Tokyo", low=source.upper - timedelta(hours=1))
    assert [row["origin"] for row in rows] == ["now"]


def test_a_date_cannot_tell_the_hours_of_a_day(db: Any) -> None:
    db.execute("ALTER TABLE weather ALTER updated_at TYPE date")
    with snapshot(SECRET) as source, source.table(TABLE, WEATHER, "updated_at", "UTC") as table:
        assert table.granularity == DAY


@pytest.mark.parametrize("kind", ["text", "bigint", "time"])
def test_a_watermark_of_another_type_is_refused_by_name(db: Any, kind: str) -> None:
    db.execute(f"ALTER TABLE weather DROP updated_at, ADD updated_at {kind}".encode())
    with (
        snapshot(SECRET) as source,
        pytest.raises(TableError, match=r"weather\.updated_at has the type .*must be timestamptz, timestamp or date"),
    ):
        read(source)


def test_rows_that_no_run_reads_are_counted(db: Any) -> None:
    db.execute("ALTER TABLE weather ALTER updated_at DROP NOT NULL")
    insert(db, "good")
    for stamp in (None, None, "infinity", "2099-01-01"):
        db.execute("INSERT INTO weather VALUES ('bad', 1, %s)", (stamp,))
    insert(db, "a minute ahead", "-1 minute")
    with snapshot(SECRET) as source, source.table(TABLE, WEATHER, "updated_at", None) as table:
        assert table.unread() == (2, 2)


def test_a_table_that_cannot_be_read_does_not_stop_the_next(db: Any) -> None:
    insert(db, "good")
    with snapshot(SECRET) as source:
        with pytest.raises(TableError, match=r"none: relation \"none\" does not exist"):
            read(source, "none")
        with pytest.raises(TableError, match='weather: column "gone" does not exist'):
            read(source, columns={**WEATHER, "gone": ("gone", "string")})
        assert [row["origin"] for row in read(source)] == ["good"]


def test_a_row_of_64_mb_is_refused_and_never_fetched(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    db.execute("ALTER TABLE weather ADD note text, ADD doc jsonb")
    db.execute("INSERT INTO weather VALUES ('JFK', 1, now() - interval '1 day', repeat('x', 64 * 1024 * 1024), '{}')")
    db.execute(
        "INSERT INTO weather VALUES ('EWR', 1, now() - interval '1 day', 'short', to_jsonb(repeat('x', 2000000)))"
    )
    db.execute(
        "INSERT INTO weather VALUES ('LGA', 1, now() - interval '1 day', repeat('x', %s), '[]')", (ROW_BYTES // 2,)
    )
    columns = {**WEATHER, "note": ("note", "string"), "doc": ("doc", "string")}
    with snapshot(SECRET) as source, source.table(TABLE, columns, "updated_at", None) as table:
        rows = {json.loads(row.text)["origin"]: row for row in table.rows(None)}
    for origin in ("JFK", "EWR"):
        assert rows[origin].refused == "row: has more than 1048576 bytes, and its long values are not read"
        assert len(rows[origin].text) < 1000
    assert not rows["LGA"].refused and len(rows["LGA"].text) > ROW_BYTES // 2


def test_a_database_without_an_encoding_is_read_but_for_what_is_no_utf_8(db: Any, cloud: MotoCloud) -> None:
    db.execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    client = cloud.client("secretsmanager")
    secret = json.loads(client.get_secret_value(SecretId=SECRET)["SecretString"])
    client.put_secret_value(SecretId=SECRET, SecretString=json.dumps({**secret, "dbname": "plain"}))
    try:
        with psycopg.connect(host=db.info.host, user=db.info.user, dbname="plain", autocommit=True) as plain:
            plain.execute("CREATE TABLE weather (origin text, temp numeric, updated_at timestamptz)")
            for text in (b"JFK", "é".encode(), b"\xe9"):
                plain.execute(
                    "INSERT INTO weather VALUES (convert_from(%s, 'SQL_ASCII'), 1, now() - interval '1 day')", (text,)
                )
        with snapshot(SECRET) as source:
            rows = read(source)
    finally:
        db.execute("DROP DATABASE plain WITH (FORCE)")
    assert [row.get("origin", row.get("refused")) for row in rows] == ["JFK", "é", "origin: is not valid UTF-8"]


def test_the_oldest_open_transaction_is_seen(db: Any, postgres_uri: str) -> None:
    with snapshot(SECRET) as source:
        assert source.oldest_open == source.upper
    with psycopg.connect(postgres_uri) as other:
        (began,) = other.execute("SELECT now()").fetchone() or (None,)
        with snapshot(SECRET) as source:
            assert source.oldest_open == began < source.upper


def test_transactions_of_other_roles_that_show_no_beginning_are_reported(
    db: Any, cloud: MotoCloud, postgres_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    db.execute("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN")
    secret = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"])
    cloud.client("secretsmanager").put_secret_value(
        SecretId=SECRET, SecretString=json.dumps({**secret, "username": "reader"})
    )
    with psycopg.connect(postgres_uri) as other:
        other.execute("INSERT INTO weather VALUES ('open', 1, now())")
        with snapshot(SECRET) as source:
            assert source.oldest_open == source.upper
        assert "1 open transactions of other roles" in caplog.text and "pg_read_all_stats" in caplog.text
        caplog.clear()
        db.execute("GRANT pg_read_all_stats TO reader")
        with snapshot(SECRET) as source:
            assert source.oldest_open < source.upper
        assert "pg_read_all_stats" not in caplog.text


def test_no_transaction_falls_between_the_bound_and_the_snapshot(db: Any, postgres_uri: str) -> None:
    """Rows that are committed after a snapshot are not stamped before its ``oldest_open``."""
    stop = threading.Event()
    # PostgreSQL lists a transaction some microseconds after it began.
    before = "SELECT count(*) FROM weather WHERE updated_at < %s::timestamptz - interval '50 milliseconds'"

    def write() -> None:
        with psycopg.connect(postgres_uri) as other:
            while not stop.is_set():
                other.execute("INSERT INTO weather VALUES ('x', 1, now())")
                other.execute("SELECT pg_sleep(0.1)")
                other.commit()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    found = []
    try:
        for _ in range(40):
            with snapshot(SECRET) as source:
                counted = source.connection.execute(before, (source.oldest_open,)).fetchone()
                found.append((source.oldest_open, counted))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert any(counted and counted[0] for _, counted in found)
    for oldest_open, counted in found:
        assert db.execute(before, (oldest_open,)).fetchone() == counted, "an earlier row was committed later"


def test_an_error_amid_a_table_leaves_the_snapshot_to_the_others(db: Any) -> None:
    db.execute("INSERT INTO weather SELECT n::text, n, now() - interval '1 day' FROM generate_series(1, 20000) AS n")
    with snapshot(SECRET) as source:
        with (
            pytest.raises(LookupError),
            source.table(TABLE, WEATHER, "updated_at", None) as table,
            closing(table.rows(None)) as rows,
        ):
            raise LookupError(next(rows))
        assert len(read(source)) == 20_000
