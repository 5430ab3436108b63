"""PostgreSQL to raw, on a real PostgreSQL: watermark and overlap, chunks, independent tables, open transactions."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.tables.snapshot import snapshot

from include.errors import NothingToDoError, RefusedError
from include.glue.records import parse_table_row
from include.lake import state_keys
from include.lake.instants import parse_instant
from include.lake.known import KnownFrom, from_metadata
from include.pipelines.ingest.overlap import DigestSet, row_digest
from include.pipelines.ingest.tables import RawTables, ingest_tables
from include.workloads.tables import TableSpec
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud
from tests.support.postgres_db import COLUMNS, SECRET, TABLE, insert

stack = pytest.mark.stack
HOUR = timedelta(hours=1)


def declared(**changes: Any) -> TableSpec:
    document = {
        "key": ["origin"],
        "valid_from": "updated_at",
        "watermark": "updated_at",
        "schema": {column: {"type": kind} for column, kind in COLUMNS.items()},
    }
    return TableSpec.model_validate({**document, **changes})


def ingest(
    overlap: timedelta = HOUR,
    objects: Any = None,
    tables: dict[str, TableSpec] | None = None,
    zone: str | None = None,
    **limits: Any,
) -> dict[str, int]:
    with snapshot(SECRET) as source:
        raw = RawTables("w", BUCKETS, objects or ObjectStoreHook(), StateHook(STATE), **limits)
        return ingest_tables(raw, tables or {TABLE: declared()}, source, overlap, zone)


def origins(cloud: MotoCloud, table: str = TABLE) -> list[str]:
    return sorted(line["row"]["origin"] for line in cloud.lines(f"raw/w/{table}/"))


def state(table: str = TABLE) -> dict[str, Any] | None:
    return StateHook(STATE).get(*state_keys.watermark_key("w", table))


@stack
def test_rows_become_lines_and_a_watermark(db: Any, cloud: MotoCloud) -> None:
    db.execute("INSERT INTO weather VALUES ('JFK', 39.02, '2013-03-01 05:00:00.5-05')")
    assert ingest() == {TABLE: 1}
    (line,) = cloud.lines(f"raw/w/{TABLE}/")
    assert line["row"] == {"origin": "JFK", "temp": 39.02, "updated_at": "2013-03-01T10:00:00.500000Z"}
    assert (line["table"], line["watermark"]) == (TABLE, None) and "refused" not in line
    item = state()
    assert item is not None
    assert item["watermark"] == line["snapshot"]


@stack
def test_a_row_that_was_committed_late_is_known_from_the_snapshot_before(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "2 hours")
    ingest()
    (first,) = cloud.lines(f"raw/w/{TABLE}/")
    insert(db, "late", "20 minutes")
    ingest()
    late = cloud.lines(f"raw/w/{TABLE}/")[-1]
    assert (late["row"]["origin"], late["watermark"]) == ("late", first["snapshot"])
    objects = ObjectStoreHook().stored(BUCKETS.raw, cloud.keys(f"raw/w/{TABLE}/"))
    known_from = [from_metadata(found.metadata) for found in objects.values()]
    assert known_from == [
        KnownFrom(parse_instant(first["row"]["updated_at"]), parse_instant(first["snapshot"])),
        KnownFrom(parse_instant(first["snapshot"]), parse_instant(late["snapshot"])),
    ]


@stack
@pytest.mark.parametrize("limits", [{"max_rows": 2}, {"max_bytes": 250}])
def test_rows_are_written_in_chunks(db: Any, cloud: MotoCloud, limits: dict[str, Any]) -> None:
    for number in range(5):
        insert(db, str(number))
    assert ingest(**limits) == {TABLE: 5}
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 3
    assert origins(cloud) == list("01234")


@stack
def test_an_idle_table_adds_no_object_and_is_skipped_with_a_text(db: Any, cloud: MotoCloud) -> None:
    insert(db, "new", "1 minute")
    ingest()
    for _ in range(2):
        with pytest.raises(NothingToDoError, match="nothing to ingest"):
            ingest()
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 1


@stack
def test_only_what_was_written_since_is_read(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old")
    ingest()
    insert(db, "new", "0")
    assert ingest() == {TABLE: 1}
    assert origins(cloud) == ["new", "old"]


@stack
def test_the_overlap_catches_a_row_that_was_committed_late_and_writes_no_other(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "2 hours")
    insert(db, "early", "40 minutes")
    ingest()
    insert(db, "late", "20 minutes")
    assert ingest() == {TABLE: 1}
    insert(db, "later", "30 minutes")
    assert ingest() == {TABLE: 1}
    assert origins(cloud) == ["early", "late", "later", "old"]
    insert(db, "too late", "90 minutes")
    with pytest.raises(NothingToDoError):
        ingest()


@stack
def test_a_row_that_changes_and_changes_back_is_written_each_time(db: Any, cloud: MotoCloud) -> None:
    insert(db, "a", "10 minutes")
    ingest()
    for temp in (1, 39.02):
        db.execute("UPDATE weather SET temp = %s", (temp,))  # and not its time stamp
        assert ingest() == {TABLE: 1}
    assert [line["row"]["temp"] for line in cloud.lines(f"raw/w/{TABLE}/")] == [39.02, 1, 39.02]


@stack
def test_a_smaller_overlap_forgets_no_row_that_is_late_for_the_last_one(db: Any, cloud: MotoCloud) -> None:
    insert(db, "early", "50 minutes")
    ingest()
    insert(db, "late", "40 minutes")
    assert ingest(overlap=timedelta(seconds=1)) == {TABLE: 1}
    assert origins(cloud) == ["early", "late"]


@stack
def test_an_overlap_longer_than_the_one_before_is_read(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "90 minutes")
    ingest()
    assert ingest(overlap=2 * HOUR) == {TABLE: 1}


@stack
def test_the_rows_of_a_transaction_open_for_longer_than_the_overlap_are_read_after_its_end(
    db: Any, cloud: MotoCloud, postgres_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    second = timedelta(seconds=0.2)
    with psycopg.connect(postgres_uri) as other:
        other.execute("INSERT INTO weather VALUES ('late', 1, now())")
        db.execute("SELECT pg_sleep(0.5)")
        insert(db, "first", "0")
        assert ingest(overlap=second) == {TABLE: 1}
        assert "longer than the overlap" in caplog.text
        db.execute("SELECT pg_sleep(0.5)")
        insert(db, "second", "0")
        assert ingest(overlap=second) == {TABLE: 1}
    assert ingest(overlap=second) == {TABLE: 1}
    assert origins(cloud) == ["first", "late", "second"]
    with pytest.raises(NothingToDoError):
        ingest(overlap=second)


@stack
def test_a_watermark_in_the_future_hides_no_row(db: Any, cloud: MotoCloud) -> None:
    future = {"watermark": "2099-01-01T00:00:00.000000Z", "overlap_seconds": 3600, "overlap_digest": "0:0"}
    StateHook(STATE).put(*state_keys.watermark_key("w", TABLE), future)
    insert(db, "old")
    assert ingest() == {TABLE: 1}
    item = state()
    assert item and item["watermark"] < "2099"


@stack
def test_a_date_as_watermark_misses_no_row_of_its_day(db: Any, cloud: MotoCloud) -> None:
    db.execute("ALTER TABLE weather ALTER updated_at TYPE date")
    today = "(now() AT TIME ZONE 'UTC')::date"
    for number in range(3):
        db.execute(f"INSERT INTO weather VALUES ('{number}', 1, {today})".encode())
        assert ingest(zone="UTC") == {TABLE: 1}
    assert origins(cloud) == list("012")


@stack
def test_tables_are_independent_and_the_error_names_each(db: Any, cloud: MotoCloud) -> None:
    db.execute("ALTER TABLE weather ALTER updated_at DROP NOT NULL")
    for name in ("altered", "fine"):
        db.execute(f"CREATE TABLE {name} (LIKE weather)".encode())
        db.execute(f"INSERT INTO {name} VALUES ('{name}', 1, now() - interval '1 day')".encode())
    db.execute("ALTER TABLE altered ALTER updated_at TYPE text")
    insert(db, "good")
    for stamp in (None, None, "2099-01-01"):
        db.execute("INSERT INTO weather VALUES ('unread', 1, %s)", (stamp,))
    tables = {name: declared() for name in ("altered", "gone", TABLE, "fine")}
    with pytest.raises(RefusedError) as caught:
        ingest(tables=tables)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("altered: altered.updated_at has the type text")
    assert any(line.startswith('gone: gone: relation "gone" does not exist') for line in lines)
    assert "weather: 2 rows without updated_at (null) and 1 rows with updated_at in the future are never read." in str(
        caught.value
    )
    assert lines[-1] == "Rows that are in raw now: weather 1, fine 1."
    assert (origins(cloud), origins(cloud, "fine")) == (["good"], ["fine"])
    assert state("fine") and state() and not state("altered") and not state("gone")


@stack
def test_a_poison_row_is_in_raw_with_its_reason_and_the_transform_refuses_it(db: Any, cloud: MotoCloud) -> None:
    insert(db, "good")
    db.execute("INSERT INTO weather VALUES ('bad', 'NaN', now() - interval '1 day')")
    assert ingest() == {TABLE: 2}
    (key,) = cloud.keys(f"raw/w/{TABLE}/")
    body = gzip.decompress(cloud.client("s3").get_object(Bucket=BUCKETS.raw, Key=key)["Body"].read()).decode()
    parsed = [parse_table_row(line, declared(), "recorded_at") for line in body.splitlines()]
    assert sorted(row.reason or "" for row in parsed) == ["", "temp: is not a finite number"]


@stack
def test_a_table_of_another_schema_with_capitals_is_read_by_its_own_names(db: Any, cloud: MotoCloud) -> None:
    db.execute('CREATE SCHEMA sales; CREATE TABLE sales."Weather" ("Origin" text, temp int, "updatedAt" timestamptz)')
    db.execute("INSERT INTO sales.\"Weather\" VALUES ('JFK', 1, now() - interval '1 day')")
    spec = declared(relation="sales.Weather", columns={"origin": "Origin", "updated_at": "updatedAt"})
    assert ingest(tables={"weather": spec}) == {"weather": 1}
    assert origins(cloud) == ["JFK"]


class CrashError(Exception):
    pass


@stack
@pytest.mark.parametrize(
    ("owner", "method"), [(ObjectStoreHook, "put_once"), (ObjectStoreHook, "put"), (StateHook, "put")]
)
def test_a_crash_at_any_write_loses_no_row(
    db: Any, cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    insert(db, "first", "10 minutes")
    ingest()
    insert(db, "second", "5 minutes")
    original: Callable[..., Any] = getattr(owner, method)
    for before in (True, False):

        def crashing(*arguments: Any, before: bool = before) -> Any:
            if not before:
                original(*arguments)
            raise CrashError

        with monkeypatch.context() as patch:
            patch.setattr(owner, method, crashing)
            with pytest.raises(CrashError):
                ingest()
    with contextlib.suppress(NothingToDoError):
        ingest()
    assert set(origins(cloud)) == {"first", "second"}
    with pytest.raises(NothingToDoError):
        ingest()


@stack
def test_a_key_that_is_taken_is_refused_and_the_watermark_stays(db: Any, cloud: MotoCloud) -> None:
    class Taken(ObjectStoreHook):
        def put_once(self, *arguments: Any, **options: Any) -> bool:
            return False

    insert(db, "new")
    with pytest.raises(RefusedError, match=r"is taken, and raw is never overwritten\. Run the DAG again\."):
        ingest(objects=Taken())
    assert state() is None


@given(st.lists(st.binary(min_size=16, max_size=16)), st.binary(min_size=16, max_size=16))
def test_a_set_of_digests_contains_what_it_was_given(digests: list[bytes], other: bytes) -> None:
    found = DigestSet.of(json.loads(json.dumps(DigestSet(digests).document())))
    assert len(found) == len(set(digests))
    assert all(digest in found for digest in digests)
    assert (other in found) == (other in digests)
    assert other not in DigestSet.of(None)


def test_equal_rows_have_equal_digests() -> None:
    one, same, other = (SimpleNamespace(text=text, written_at=None, refused="") for text in ("a", "a", "b"))
    assert row_digest(one) == row_digest(same) != row_digest(other)
    assert len(row_digest(one)) == 16
