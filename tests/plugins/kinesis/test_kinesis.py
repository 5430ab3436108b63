"""Kinesis to raw: decoding, batches, the commit rule under crashes, shards' order, the watermark."""

from __future__ import annotations

import base64
import gzip
import json
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from nightjar.kinesis.hook import KinesisReadHook, ShardReader
from nightjar.objects import ObjectStoreHook
from nightjar.operators.kinesis import AdvanceWatermarkOperator, KinesisToS3Operator
from nightjar.state.hook import StateHook
from nightjar.stream.decode import REQUIRED, Undecodable, decode
from nightjar.stream.lineage import lineages
from nightjar.stream.shard import ShardIngest, Target

from include.lake import layout
from tests.support.moto_cloud import LAKE, STATE, MotoCloud

pytestmark = pytest.mark.stack
STREAM = "nightjar-test"
SHARD = "shardId-000000000000"
CHECKPOINTS = layout.checkpoint_key("w", STREAM, "")[0]
RAW_KEY = layout.raw_stream_key("w", STREAM, "{ingest_date}", "{shard_id}", "{first_sequence}")
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
RAW = f"raw/w/{STREAM}/"


def target(**changes: Any) -> dict[str, Any]:
    return {
        "stream": STREAM,
        "bucket": LAKE,
        "raw_key": RAW_KEY,
        "quarantine_key": layout.quarantine_stream_key("w", STREAM, "{ingest_date}", "{shard_id}", "{first_sequence}"),
        "marker_key": layout.marker_key("w", STREAM, "{event_date}", RAW_KEY),
        "checkpoint_pk": CHECKPOINTS,
        **changes,
    }


def event(number: int, **changes: Any) -> bytes:
    day = date(2013, 3, 1) + timedelta(days=number // 10)
    fields = {
        "event_type": "scheduled",
        "key": str(number),
        "event_time": f"{day}T10:00:00Z",
        "recorded_at": f"{day}T{number % 10:02d}:00:00Z",
        "payload": {"n": number},
    }
    return json.dumps({**fields, **changes}).encode()


def ingest(until: datetime = FOREVER, reader: Any = ShardReader, **changes: Any) -> dict[str, Any]:
    hooks = {"kinesis": KinesisReadHook(), "lake": ObjectStoreHook(), "state": StateHook(STATE)}
    return ShardIngest(Target(**target(**changes)), SHARD, until, reader=reader, **hooks).run().to_dict()


@pytest.fixture
def stream(cloud: MotoCloud) -> Any:
    client = cloud.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)

    def put(*records: bytes) -> list[str]:
        return [client.put_record(StreamName=STREAM, Data=data, PartitionKey="k")["SequenceNumber"] for data in records]

    return put


def sequences(cloud: MotoCloud) -> list[str]:
    return [line["sequence_number"] for line in cloud.lines(RAW)]


# --- decoding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object but list"),
        (b"null", "not a JSON object"),
        (event(1, key=7), "key: is not a string"),
        (event(1, recorded_at=None), "recorded_at: is not a string"),
        (b'{"event_type": "a", "key": "b", "event_time": "2013-01-01T00:00:00Z"}', "recorded_at: is missing"),
        (event(1, event_time="yesterday"), "event_time: 'yesterday' is not an ISO 8601 time"),
        (event(1, event_time="2013-01-01T00:00:00"), "no offset"),
        (event(1, event_time="0001-01-01T00:00:00+14:00"), "event_time"),
        (event(1).replace(b'{"n": 1}', b"NaN"), "NaN is not a JSON number"),
        (event(1).replace(b'{"n": 1}', b"1e999"), "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xf3\x89\x9a\xc2rest", "Kinesis Producer Library"),
    ],
)
def test_a_record_that_is_no_event_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        decode(data)


@given(
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(REQUIRED), st.text() | st.none()).map(json.dumps).map(str.encode)
)
def test_decoding_never_fails_otherwise(data: bytes) -> None:
    try:
        decode(data)
    except Undecodable as error:
        assert str(error)


def test_an_event_is_one_line_with_its_utc_day() -> None:
    decoded = decode(json.dumps(json.loads(event(1, event_time="2013-03-01T23:30:00-05:00")), indent=2).encode())
    assert decoded.day == "2013-03-02"
    assert "\n" not in decoded.text


# --- one shard -----------------------------------------------------------------------------------------------------------


def test_records_become_raw_objects_markers_and_a_checkpoint(cloud: MotoCloud, stream: Any) -> None:
    put = stream(*(event(n) for n in range(25)))
    summary = ingest(max_records=10)
    assert (summary["records"], summary["objects"], summary["quarantined"]) == (25, 3, 0)
    assert sequences(cloud) == put
    line = cloud.lines(RAW)[0]
    assert set(line) == {"shard_id", "sequence_number", "arrived_at", "event"}
    assert line["event"] == json.loads(event(0))
    key = cloud.keys(RAW)[0]
    head = cloud.client("s3").head_object(Bucket=LAKE, Key=key, ChecksumMode="ENABLED")
    assert head["Metadata"].pop("arrived-at").endswith("Z")
    expected = {
        "first-sequence": put[0],
        "last-sequence": put[9],
        "records": "10",
        "recorded-at": "2013-03-01T00:00:00.000000Z",
    }
    assert head["Metadata"] == expected
    assert head["ChecksumSHA256"]
    assert cloud.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read()[4:8] == b"\0\0\0\0", (
        "gzip has a time stamp"
    )
    for day, count in (("2013-03-01", 1), ("2013-03-02", 1), ("2013-03-03", 1)):
        markers = cloud.keys(layout.marker_prefix("w", STREAM, date.fromisoformat(day)))
        assert len(markers) == count
        assert layout.marked_raw_key("w", STREAM, markers[0]) in cloud.keys(RAW)
    item = StateHook(STATE).get(CHECKPOINTS, SHARD)
    assert item["sequence_number"] == put[-1]
    assert item["max_recorded_at"] == "2013-03-03T04:00:00.000000Z"


def test_an_object_is_cut_by_bytes_too(cloud: MotoCloud, stream: Any) -> None:
    stream(*(event(n, payload="x" * 1000) for n in range(6)))
    assert ingest(max_bytes=3000)["objects"] == 2


def test_what_arrived_at_the_end_or_later_is_left_to_the_next_run(cloud: MotoCloud, stream: Any) -> None:
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


def test_undecodable_records_are_quarantined_with_the_reason(cloud: MotoCloud, stream: Any) -> None:
    put = stream(event(1), b"\xff", event(2), b"{}")
    summary = ingest()
    assert (summary["records"], summary["quarantined"]) == (2, 2)
    lines = cloud.lines("quarantine/")
    assert [line["sequence_number"] for line in lines] == [put[1], put[3]]
    assert lines[1]["reason"] == "event_type: is missing"
    assert base64.b64decode(lines[0]["data_base64"]) == b"\xff"


class Crash(Exception):
    pass


def crash(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, at: int) -> None:
    """The ``at``-th call of a hook's method never happens."""
    original, calls = getattr(owner, method), []

    def crashing(self: Any, *args: Any) -> Any:
        calls.append(1)
        if len(calls) == at:
            raise Crash
        return original(self, *args)

    monkeypatch.setattr(owner, method, crashing)


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
    stream: Any,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    moment: tuple[type, str, int],
) -> None:
    put = stream(*(b"bad" if n % 7 == 3 else event(n) for n in range(30)))
    with monkeypatch.context() as patch:
        crash(patch, *moment)
        with pytest.raises(Crash):
            ingest(max_records=10)
    assert len(cloud.keys(RAW)) == 2, "the crash came after the second put"
    ingest(max_records=size)
    bad = [put[n] for n in range(30) if n % 7 == 3]
    assert sorted(sequences(cloud), key=int) == [number for number in put if number not in bad]
    assert sorted((line["sequence_number"] for line in cloud.lines("quarantine/")), key=int) == bad
    marked = {layout.marked_raw_key("w", STREAM, marker) for marker in cloud.keys("index/")}
    assert marked == {key for key in cloud.keys(RAW) if cloud.lines(key)}
    assert StateHook(STATE).get(CHECKPOINTS, SHARD)["sequence_number"] == put[-1]
    assert ingest()["records"] == 0


def test_a_crash_repaired_on_another_day_finds_the_same_key(
    cloud: MotoCloud,
    stream: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = stream(event(1), event(2))
    with monkeypatch.context() as patch:
        crash(patch, StateHook, "advance", 1)
        with pytest.raises(Crash):
            ingest(until=datetime.now(UTC) + timedelta(days=1))
    ingest(until=datetime.now(UTC) + timedelta(days=2))
    assert sequences(cloud) == put


def test_a_raw_object_is_never_overwritten(cloud: MotoCloud) -> None:
    lake = ObjectStoreHook()
    assert lake.put_once(LAKE, "raw/x", b"first")
    assert not lake.put_once(LAKE, "raw/x", b"second")
    assert lake.open(LAKE, "raw/x").read() == b"first"


def test_the_checkpoint_never_goes_back(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    assert state.advance("pk", "sk", {"position": "0009"}, "position")
    assert not state.advance("pk", "sk", {"position": "0008"}, "position")
    assert state.advance("pk", "sk", {"position": "0010"}, "position")
    assert state.get("pk", "sk") == {"position": "0010"}


class Throttled:
    """A Kinesis client whose first two reads are refused."""

    def __init__(self, client: Any) -> None:
        self._client, self.refused = client, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_records(self, **arguments: Any) -> Any:
        if self.refused < 2:
            self.refused += 1
            raise ClientError(
                {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "GetRecords"
            )
        return self._client.get_records(**arguments)


def test_a_throttled_read_backs_off_and_goes_on(cloud: MotoCloud, stream: Any) -> None:
    put = stream(event(1))
    hook, slept = KinesisReadHook(), []
    hook.__dict__["conn"] = Throttled(hook.conn)
    reader = ShardReader(hook, STREAM, SHARD, FOREVER, sleep=slept.append)
    assert [record.sequence_number for record in reader.records(None)] == put
    assert [pause for pause in slept if pause >= 0.5] == [0.5, 1.0]


# --- the order of shards -------------------------------------------------------------------------------------------------


def shard(name: str, *parents: str) -> dict[str, Any]:
    return {"shard_id": name, "parents": list(parents)}


def test_lineages_put_parents_first_and_leave_out_what_is_drained() -> None:
    shards = [shard("d", "b", "c"), shard("c"), shard("b", "a"), shard("a"), shard("x")]
    groups = lineages(shards, {"c"})
    assert [[member["shard_id"] for member in group] for group in groups] == [["a", "b", "d"], ["x"]]
    assert groups[0][2]["parents"] == ["b"]
    assert lineages([shard("a")], {"a"}) == []


def test_a_child_is_read_only_when_its_parents_are_drained(
    cloud: MotoCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud.client("kinesis").create_stream(StreamName=STREAM, ShardCount=2)
    ids = [found["shard_id"] for found in KinesisReadHook().shards(STREAM)]
    shards = [shard(ids[0]), shard(ids[1], ids[0])]
    task = KinesisToS3Operator(
        task_id="t", shards=shards, until=FOREVER.isoformat(), target=target(), state_table=STATE
    )
    assert [read["shard_id"] for read in task.execute({})] == [ids[0]], "the parent is open, so the child waits"
    StateHook(STATE).put(CHECKPOINTS, ids[0], {"closed": True, "sequence_number": None, "position": "0"})
    assert [read["shard_id"] for read in task.execute({})] == ids


def test_a_shard_whose_iterator_ends_is_closed_for_good(
    cloud: MotoCloud,
    stream: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = stream(event(1))
    read = ShardReader._read

    def last(
        self: ShardReader, iterator: str
    ) -> dict[str, Any]:  # moto never ends the iterator of a closed shard; Kinesis does
        return {**read(self, iterator), "NextShardIterator": None}

    monkeypatch.setattr(ShardReader, "_read", last)
    assert ingest()["closed"] is True
    assert StateHook(STATE).get(CHECKPOINTS, SHARD)["sequence_number"] == put[0]
    assert ingest() == {**ingest(), "records": 0, "closed": True}


# --- the watermark -------------------------------------------------------------------------------------------------------


def summary(**changes: Any) -> dict[str, Any]:
    return {"shard_id": SHARD, "records": 1, "quarantined": 0, "repaired": 0, "next_recorded_at": "", **changes}


def advance(
    clock: str, summaries: list[dict[str, Any]], until: str = "2014-01-01T00:00:00Z", complete_to: str = ""
) -> Any:
    task = AdvanceWatermarkOperator(
        task_id="w",
        summaries=[summaries],
        until=until,
        clock=clock,
        complete_to=complete_to,
        state_table=STATE,
        checkpoint_pk=CHECKPOINTS,
        watermark_key=layout.watermark_key("w", STREAM),
    )
    return task.execute({})


def watermark() -> str | None:
    return (StateHook(STATE).get(*layout.watermark_key("w", STREAM)) or {}).get("watermark")


def test_the_watermark_by_arrival_is_the_end_of_the_run_and_never_goes_back(cloud: MotoCloud) -> None:
    assert advance("arrived_at", [summary()]) == "2014-01-01T00:00:00.000000Z"
    advance("arrived_at", [summary()], until="2013-06-01T00:00:00Z")
    assert watermark() == "2014-01-01T00:00:00.000000Z"


def test_the_watermark_by_recording_is_the_newest_read_but_not_beyond_what_is_unread(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    state.put(CHECKPOINTS, "a", {"max_recorded_at": "2013-03-01T10:00:00.000000Z"})
    state.put(CHECKPOINTS, "b", {"max_recorded_at": "2013-03-01T12:00:00.000000Z"})
    unread = summary(next_recorded_at="2013-03-01T11:00:00.000000Z")
    assert advance("recorded_at", [summary(), unread]) == "2013-03-01T11:00:00.000000Z"
    assert advance("recorded_at", [summary()]) == "2013-03-01T12:00:00.000000Z"
    assert advance("recorded_at", [summary()], complete_to="2013-03-02T00:00:00Z") == "2013-03-02T00:00:00.000000Z"


def test_a_producer_with_a_wrong_clock_does_not_take_the_watermark_beyond_the_run(cloud: MotoCloud) -> None:
    StateHook(STATE).put(CHECKPOINTS, "a", {"max_recorded_at": "2999-01-01T00:00:00.000000Z"})
    assert advance("recorded_at", [summary()]) == "2014-01-01T00:00:00.000000Z"


def test_an_interval_without_data_is_skipped_with_a_text(cloud: MotoCloud) -> None:
    with pytest.raises(AirflowSkipException, match="No record arrived before 2014-01-01"):
        advance("arrived_at", [summary(records=0)])
    assert watermark() == "2014-01-01T00:00:00.000000Z", "an empty interval is complete too"


def test_gzip_bytes_are_the_same_for_the_same_records(cloud: MotoCloud, stream: Any) -> None:
    from nightjar.stream.batch import GzipLines

    bodies = []
    for _ in range(2):
        lines = GzipLines()
        lines.add("{}")
        bodies.append(lines.finish().read())
    assert bodies[0] == bodies[1]
    assert gzip.decompress(bodies[0]) == b"{}\n"
