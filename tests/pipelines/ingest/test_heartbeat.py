"""Heartbeats move the stream's watermark, alone, and are no events."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include.errors import NothingToDoError
from include.glue.records import parse_event
from include.lake import state_keys
from include.lake.instants import format_instant
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import stream_target
from include.pipelines.ingest.watermark import advance_watermark
from include.pipelines.protocols import Shard
from include.workloads import Workload
from tests.support.histories import BUCKETS, FIRST_DAY, AdvancingState, CrashError, CrashingObjects, Reader, Record
from tests.support.tiny_workload import document, refusal, tiny_workload

HOUR = timedelta(hours=1)


class Stream:
    """A stream of one shard: (event type, hour) of each record, which arrives when it is recorded."""

    def __init__(self, *sent: tuple[str, int]) -> None:
        self.records = []
        for number, (event_type, hour) in enumerate(sent, 1):
            at = FIRST_DAY + hour * HOUR
            event: dict[str, Any] = {"event_type": event_type, "key": "k", "event_time": format_instant(at)}
            event |= {"recorded_at": format_instant(at), "payload": {"item": "a", "price": 1}}
            data = b"no event" if event_type == "rubbish" else json.dumps(event).encode()
            self.records.append(Record(str(number), at, data, at))

    def shards(self, stream: str) -> list[Shard]:
        return [{"shard_id": "shard-0", "parents": []}]

    def reader(self, stream: str, shard_id: str, until: object) -> Reader:
        return Reader(self.records, FIRST_DAY + 99 * HOUR)


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path, stream__complete={"by": "heartbeat", "event": "beat"})


def ingest(workload: Workload, stream: Stream, objects: CrashingObjects, state: AdvancingState) -> str | None:
    until = FIRST_DAY + 24 * HOUR
    ingestion = ShardIngest(
        stream_target(workload, BUCKETS),
        "shard-0",
        until,
        source=stream,
        objects=objects,
        state=state,
    )
    return advance_watermark(workload, [[ingestion.run()]], until, None, buckets=BUCKETS, objects=objects, state=state)


def test_only_a_heartbeat_moves_the_watermark(shop: Workload) -> None:
    objects, state = CrashingObjects(), AdvancingState()
    stream = Stream(("offered", 1), ("offered", 5))
    assert ingest(shop, stream, objects, state) is None
    stream.records += Stream(*[("offered", 0)] * 2, ("beat", 4), ("offered", 6)).records[2:]
    assert ingest(shop, stream, objects, state) == format_instant(FIRST_DAY + 4 * HOUR)
    with pytest.raises(NothingToDoError):
        ingest(shop, stream, objects, state)


def test_a_heartbeat_is_in_raw_but_marks_no_day_and_is_no_row(shop: Workload) -> None:
    objects = CrashingObjects()
    ingest(shop, Stream(("offered", 1), ("beat", 30)), objects, AdvancingState())
    markers = [key for _, key in objects.bodies if key.startswith("index/")]
    assert [marker.split("/")[3] for marker in markers] == ["event_date=2013-03-01"], "not of the heartbeat's day"
    (raw,) = [body for (bucket, _), body in objects.bodies.items() if bucket == BUCKETS.raw]
    lines = gzip.decompress(raw).decode().splitlines()
    schemas = {name: event.fields for name, event in shop.events.items()}
    days = frozenset({"2013-03-01", "2013-03-02"})
    heartbeat = shop.stream.complete.event
    rows = [parse_event(line, schemas, shop.clock, days, heartbeat) for line in lines]
    assert [row and row.event_type for row in rows] == ["offered", None]
    undeclared = parse_event(lines[1], schemas, shop.clock, days)
    assert undeclared and undeclared.reason == "event_type: is not an event of this workload"


def test_a_crash_loses_no_heartbeat(shop: Workload) -> None:
    sent = (("offered", 1), ("beat", 2), ("offered", 3), ("rubbish", 4))
    whole, crashed, objects = AdvancingState(), AdvancingState(), CrashingObjects()
    ingest(shop, Stream(*sent), CrashingObjects(), whole)
    objects.crash = True
    with pytest.raises(CrashError):
        ingest(shop, Stream(*sent), objects, crashed)
    assert ingest(shop, Stream(*sent), objects, crashed) == format_instant(FIRST_DAY + 2 * HOUR)
    checkpoint = state_keys.checkpoint_key("shop", shop.stream.name, "shard-0")
    assert crashed.get(*checkpoint) == whole.get(*checkpoint)
    assert (whole.get(*checkpoint) or {})["max_arrived_at"] == format_instant(FIRST_DAY + 4 * HOUR)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"by": "heartbeat"}, "stream.complete: event is missing"),
        ({"by": "quiet", "event": "beat", "period": "PT1H"}, "stream.complete: event is only for by: heartbeat"),
        ({"by": "quiet"}, "stream.complete: period is missing"),
        ({"by": "quiet", "period": "PT0S"}, "stream.complete.period: "),
        ({"by": "heartbeat", "event": "rated"}, "stream.complete.event: rated is in events"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, str], text: str) -> None:
    assert text in refusal(tmp_path, workload=document(stream__complete=changes))


def test_a_clock_that_is_not_trusted_needs_no_declaration(tmp_path: Path) -> None:
    quiet = document(clock="arrived_at", stream__complete={"by": "quiet", "period": "PT1H"})
    assert "stream.complete.by: quiet is only for clock: recorded_at" in refusal(tmp_path, workload=quiet)
