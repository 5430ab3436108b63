"""PostgreSQL to raw, on a real PostgreSQL: watermark and overlap, chunks, and the digest of rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.tables.snapshot import snapshot

from include.errors import NothingToDoError, RefusedError
from include.lake import layout
from include.lake.instants import parse_instant
from include.lake.known import KnownFrom, from_metadata
from include.pipelines.ingest.tables import RowsDigest, ingest_tables
from include.workloads.declaration import TableSpec
from tests.support.moto_cloud import LAKE, STATE, MotoCloud
from tests.support.postgres_db import COLUMNS, SECRET, TABLE, insert

pytestmark = pytest.mark.stack
DECLARATION = TableSpec.model_validate(
    {
        "key": ["origin"],
        "valid_from": "updated_at",
        "watermark": "updated_at",
        "schema": {column: {"type": kind} for column, kind in COLUMNS.items()},
    }
)


def ingest(overlap: timedelta = timedelta(hours=1), objects: Any = None, **options: Any) -> dict[str, int]:
    with snapshot(SECRET) as source:
        return ingest_tables(
            "w",
            {TABLE: DECLARATION},
            source,
            overlap,
            bucket=LAKE,
            objects=objects or ObjectStoreHook(),
            state=StateHook(STATE),
            **options,
        )


def origins(cloud: MotoCloud) -> list[str]:
    return [line["row"]["origin"] for line in cloud.lines(f"raw/w/{TABLE}/")]


def test_rows_become_lines_and_a_watermark(db: Any, cloud: MotoCloud) -> None:
    db.execute("INSERT INTO weather VALUES ('JFK', 39.02, '2013-03-01 05:00:00.5-05')")
    assert ingest() == {TABLE: 1}
    (line,) = cloud.lines(f"raw/w/{TABLE}/")
    assert line["row"] == {"origin": "JFK", "temp": 39.02, "updated_at": "2013-03-01T10:00:00.500000Z"}
    assert (line["table"], line["watermark"]) == (TABLE, None)
    item = StateHook(STATE).get(*layout.watermark_key("w", TABLE))
    assert item is not None
    assert item["watermark"] == line["snapshot"]


def test_a_row_that_was_committed_late_is_known_from_the_snapshot_before(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "2 hours")
    ingest()
    (first,) = cloud.lines(f"raw/w/{TABLE}/")
    insert(db, "late", "20 minutes")
    ingest()
    late = cloud.lines(f"raw/w/{TABLE}/")[-1]
    assert (late["row"]["origin"], late["watermark"]) == ("late", first["snapshot"])
    objects = ObjectStoreHook().stored(LAKE, cloud.keys(f"raw/w/{TABLE}/"))
    known_from = [from_metadata(found.metadata) for found in objects.values()]
    assert known_from == [
        KnownFrom(parse_instant(first["row"]["updated_at"]), parse_instant(first["snapshot"])),
        KnownFrom(parse_instant(first["snapshot"]), parse_instant(late["snapshot"])),
    ]


def test_rows_are_written_in_chunks(db: Any, cloud: MotoCloud) -> None:
    for number in range(5):
        insert(db, str(number))
    assert ingest(chunk_rows=2) == {TABLE: 5}
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 3
    assert sorted(origins(cloud)) == list("01234")


def test_an_idle_table_adds_no_object_and_is_skipped_with_a_text(db: Any, cloud: MotoCloud) -> None:
    insert(db, "new", "1 minute")
    ingest()
    for _ in range(2):
        with pytest.raises(NothingToDoError, match="nothing to ingest"):
            ingest()
    assert len(cloud.keys(f"raw/w/{TABLE}/")) == 1


def test_only_what_was_written_since_is_read(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old")
    ingest()
    insert(db, "new", "0")
    assert ingest() == {TABLE: 1}
    assert sorted(origins(cloud)) == ["new", "old"]


def test_the_overlap_catches_a_row_that_was_committed_late(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "2 hours")
    insert(db, "early", "40 minutes")
    ingest()
    insert(db, "late", "20 minutes")
    assert ingest() == {TABLE: 2}, "the overlap again, as it has changed"
    assert set(origins(cloud)) == {"old", "early", "late"}
    insert(db, "too late", "90 minutes")
    with pytest.raises(NothingToDoError):
        ingest()


def test_an_overlap_longer_than_the_one_before_is_read(db: Any, cloud: MotoCloud) -> None:
    insert(db, "old", "90 minutes")
    ingest()
    assert ingest(overlap=timedelta(hours=2)) == {TABLE: 1}


def test_a_key_that_is_taken_is_refused_and_the_watermark_stays(db: Any, cloud: MotoCloud) -> None:
    class Taken(ObjectStoreHook):
        def put_once(self, *arguments: Any, **options: Any) -> bool:
            return False

    insert(db, "new")
    with pytest.raises(RefusedError, match=r"is taken, and raw is never overwritten\. Run the DAG again\."):
        ingest(objects=Taken())
    assert StateHook(STATE).get(*layout.watermark_key("w", TABLE)) is None


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
