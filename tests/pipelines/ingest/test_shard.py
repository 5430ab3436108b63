"""One shard into raw: objects, markers, checkpoint, quarantine, and the commit rule under crashes."""

from __future__ import annotations

import base64
import gzip
import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from nightjar.kinesis.hook import KinesisHook
from nightjar.kinesis.shard_reader import ShardReader
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout, state_keys
from include.lake.instants import format_instant, parse_instant
from include.lake.known import Clock, KnownFrom
from include.lake.markers import marked_days
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.types import ShardSummary
from tests.support.kinesis_stream import SHARD, STREAM, ClosedShards, PutRecords, event
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud

pytestmark = pytest.mark.stack
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
RAW = f"raw/w/{STREAM}/"


def ingest(until: datetime = FOREVER, source: Any = None, clock: Clock = "recorded_at", **limits: Any) -> ShardSummary:
    return ShardIngest(
        StreamTarget("w", STREAM, BUCKETS, clock, **limits),
        SHARD,
        until,
        source=source or KinesisHook(),
        objects=ObjectStoreHook(),
        state=StateHook(STATE),
    ).run()


def checkpoint() -> dict[str, Any]:
    return StateHook(STATE).get(*state_keys.checkpoint_key("w", STREAM, SHARD)) or {}


def sequences(cloud: MotoCloud) -> list[str]:
    return [line["sequence_number"] for line in cloud.lines(RAW)]


def test_records_become_raw_objects_markers_and_a_checkpoint(cloud: MotoCloud, stream: PutRecords) -> None:
    put = stream(*(event(n) for n in range(25)))
    summary = ingest(max_records=10)
    assert (summary["records"], summary["objects"], summary["quarantined"]) == (25, 3, 0)
    assert sequences(cloud) == put
    line = cloud.lines(RAW)[0]
    assert set(line) == {"shard_id", "sequence_number", "arrived_at", "watermark", "event"}
    assert line["watermark"] is None
    assert line["event"] == json.loads(event(0))
    key = cloud.keys(RAW)[0]
    head = cloud.client("s3").head_object(Bucket=BUCKETS.raw, Key=key, ChecksumMode="ENABLED")
    assert head["Metadata"] == {"first-sequence": put[0], "last-sequence": put[9], "records": "10"}
    assert head["ChecksumSHA256"]
    assert cloud.client("s3").get_object(Bucket=BUCKETS.raw, Key=key)["Body"].read()[4:8] == b"\0\0\0\0", (
        "gzip has a time stamp"
    )
    for day, count in (("2013-03-01", 1), ("2013-03-02", 1), ("2013-03-03", 1)):
        markers = cloud.keys(layout.marker_prefix("w", STREAM, date.fromisoformat(day)))
        assert len(markers) == count
        assert layout.marked_raw_key("w", STREAM, markers[0]) in cloud.keys(RAW)
    item = checkpoint()
    assert item["sequence_number"] == put[-1]
    assert item["max_recorded_at"] == "2013-03-03T04:00:00.000000Z"


def test_an_object_is_cut_by_bytes_too(cloud: MotoCloud, stream: PutRecords) -> None:
    stream(*(event(n, payload="x" * 1000) for n in range(6)))
    assert ingest(max_bytes=3000)["objects"] == 2


def test_what_arrived_at_the_end_or_later_is_left_to_the_next_run(cloud: MotoCloud, stream: PutRecords) -> None:
    first = stream(event(1), event(2))
    time.sleep(0.02)
    until = datetime.now(UTC)
    time.sleep(0.02)
    second = stream(event(3))
    summary = ingest(until)
    assert sequences(cloud) == first
    assert summary["next_recorded_at"] == "2013-03-01T03:00:00.000000Z"
    assert ingest()["records"] == 1
    assert sorted(sequences(cloud), key=int) == first + second


def test_undecodable_records_are_quarantined_with_the_reason(cloud: MotoCloud, stream: PutRecords) -> None:
    put = stream(event(1), b"\xff", event(2), b"{}")
    summary = ingest()
    assert (summary["records"], summary["quarantined"]) == (2, 2)
    lines = cloud.lines("quarantine/")
    assert [line["sequence_number"] for line in lines] == [put[1], put[3]]
    assert lines[1]["reason"] == "event_type: is missing"
    assert base64.b64decode(lines[0]["data_base64"]) == b"\xff"


def test_a_record_from_the_future_is_quarantined_and_moves_nothing(cloud: MotoCloud, stream: PutRecords) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    put = stream(event(1), event(2, recorded_at="2099-01-01T00:00:00Z"), event(3, recorded_at=ahead))
    summary = ingest()
    assert (summary["records"], summary["quarantined"]) == (2, 1)
    (line,) = cloud.lines("quarantine/")
    assert line["sequence_number"] == put[1]
    assert line["reason"].startswith("recorded_at: 2099-01-01T00:00:00.000000Z is later than the arrival, 20")
    newest = cloud.lines(RAW)[-1]
    assert checkpoint()["max_recorded_at"] == newest["arrived_at"], "a clock slightly ahead counts up to the arrival"


def test_where_the_producers_clock_is_not_trusted_it_refuses_nothing(cloud: MotoCloud, stream: PutRecords) -> None:
    stream(event(1), event(2, recorded_at="2099-01-01T00:00:00Z"))
    assert ingest(clock="arrived_at")["records"] == 2
    assert checkpoint()["max_recorded_at"] == "2013-03-01T01:00:00.000000Z"


def test_a_checkpoint_in_the_future_is_forgotten(cloud: MotoCloud, stream: PutRecords) -> None:
    state = StateHook(STATE)
    poisoned = {"sequence_number": None, "max_recorded_at": "2099-01-01T00:00:00.000000Z", "closed": False}
    state.put(*state_keys.checkpoint_key("w", STREAM, SHARD), poisoned)
    stream(event(1))
    ingest(until=datetime.now(UTC) + timedelta(minutes=1))
    assert checkpoint()["max_recorded_at"] == "2013-03-01T01:00:00.000000Z"


def test_an_event_is_in_raw_as_it_was_sent(cloud: MotoCloud, stream: PutRecords) -> None:
    sent = json.dumps({**json.loads(event(1)), "payload": {"n": 0, "é": "half"}}, indent=2, ensure_ascii=False)
    sent = sent.replace('"n": 0', '"n": 0.12345678901234567890').replace("half", r"\ud800")
    stream(sent.replace("\n", "\r\n").encode())
    ingest()
    (key,) = cloud.keys(RAW)
    body = gzip.decompress(cloud.client("s3").get_object(Bucket=BUCKETS.raw, Key=key)["Body"].read())
    assert body.count(b"\n") == 1
    assert b'"n": 0.12345678901234567890' in body and rb"\ud800" in body


AGGREGATE = Path(__file__).parent / "aggregate.base64"


def test_an_aggregate_of_the_producer_library_is_one_line_for_each_user_record(
    cloud: MotoCloud, stream: PutRecords
) -> None:
    aggregate = base64.b64decode(AGGREGATE.read_bytes())
    first, second = stream(aggregate, event(5))
    damaged = aggregate[:-1] + bytes([aggregate[-1] ^ 1])
    (third,) = stream(damaged)
    summary = ingest(max_records=1)
    assert (summary["records"], summary["quarantined"]) == (3, 2)
    lines = cloud.lines(RAW)
    assert [(line["sequence_number"], line.get("subsequence_number")) for line in lines] == [
        (first, 0),
        (first, 2),
        (second, None),
    ]
    assert [line["event"]["key"] for line in lines] == ["1", "2", "5"]
    bad = cloud.lines("quarantine/")
    assert [(line["sequence_number"], line.get("subsequence_number")) for line in bad] == [(first, 1), (third, None)]
    assert base64.b64decode(bad[0]["data_base64"]) == b"no event"
    assert "checksum differs" in bad[1]["reason"]


class CrashError(Exception):
    pass


def crash(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, at: int) -> None:
    """The ``at``-th call of a hook's method never happens."""
    original, calls = getattr(owner, method), []

    def crashing(self: Any, *args: Any) -> Any:
        calls.append(1)
        if len(calls) == at:
            raise CrashError
        return original(self, *args)

    monkeypatch.setattr(owner, method, crashing)


def complete_to(instant: datetime) -> None:
    StateHook(STATE).put(*state_keys.watermark_key("w", STREAM), {"watermark": format_instant(instant)})


def test_what_is_read_after_the_stream_was_complete_is_known_from_then_on(
    cloud: MotoCloud, stream: PutRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the markers, and also when a crash comes before them."""
    complete = datetime(2013, 3, 1, 5, tzinfo=UTC)
    complete_to(complete)
    stream(*(event(n) for n in range(13)))
    with monkeypatch.context() as patch:
        crash(patch, ObjectStoreHook, "put", 1)
        with pytest.raises(CrashError):
            ingest()
    written = cloud.lines(RAW)
    assert {line["watermark"] for line in written} == {"2013-03-01T05:00:00.000000Z"}
    ingest()
    assert cloud.lines(RAW) == written
    (marker,) = cloud.keys("index/")
    arrived = [parse_instant(line["arrived_at"]) for line in written]
    assert marked_days(marker) == {
        date(2013, 3, 1): KnownFrom(complete, arrived[0]),
        date(2013, 3, 2): KnownFrom(datetime(2013, 3, 2, tzinfo=UTC), min(arrived[10:])),
    }


# Each batch of ten has a quarantine object and the marker of one day, both put by ObjectStoreHook.put.
@pytest.mark.parametrize(
    ("size", "moment"),
    [
        (1, (StateHook, "advance", 2)),
        (4, (ObjectStoreHook, "put", 3)),
        (10, (ObjectStoreHook, "put", 4)),
        (100, (StateHook, "advance", 2)),
    ],
)
def test_a_crash_between_put_and_checkpoint_then_other_batches_gives_every_record_once(
    cloud: MotoCloud,
    stream: PutRecords,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    moment: tuple[type, str, int],
) -> None:
    put = stream(*(b"bad" if n % 7 == 3 else event(n) for n in range(30)))
    with monkeypatch.context() as patch:
        crash(patch, *moment)
        with pytest.raises(CrashError):
            ingest(max_records=10)
    assert len(cloud.keys(RAW)) == 2, "the crash came after the second put"
    ingest(max_records=size)
    bad = [put[n] for n in range(30) if n % 7 == 3]
    assert sorted(sequences(cloud), key=int) == [number for number in put if number not in bad]
    assert sorted((line["sequence_number"] for line in cloud.lines("quarantine/")), key=int) == bad
    marked = {layout.marked_raw_key("w", STREAM, marker) for marker in cloud.keys("index/")}
    assert marked == {key for key in cloud.keys(RAW) if cloud.lines(key)}
    assert checkpoint()["sequence_number"] == put[-1]
    assert ingest()["records"] == 0


def test_a_crash_repaired_on_another_day_finds_the_same_key(
    cloud: MotoCloud,
    stream: PutRecords,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = stream(event(1), event(2))
    with monkeypatch.context() as patch:
        crash(patch, StateHook, "advance", 1)
        with pytest.raises(CrashError):
            ingest(until=datetime.now(UTC) + timedelta(days=1))
    ingest(until=datetime.now(UTC) + timedelta(days=2))
    assert sequences(cloud) == put


class ClosedStream(KinesisHook):
    """A stream whose shards are closed."""

    def reader(self, stream: str, shard_id: str, until: datetime) -> ShardReader:
        return ShardReader(cast("Any", ClosedShards(self.conn)), stream, shard_id, until)


def test_a_shard_whose_iterator_ends_is_closed_for_good(cloud: MotoCloud, stream: PutRecords) -> None:
    put = stream(event(1))
    assert ingest(source=ClosedStream())["closed"] is True
    assert checkpoint()["sequence_number"] == put[0]
    assert ingest() == {**ingest(), "records": 0, "closed": True}
