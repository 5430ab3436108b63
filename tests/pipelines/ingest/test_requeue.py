"""Quarantined records read again: once, with lineage, whatever crashes in between."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from nightjar.kinesis.hook import KinesisHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import NothingToDoError
from include.lake import layout, state_keys
from include.pipelines.ingest import decode
from include.pipelines.ingest.requeue import Requeued, RequeueRequest, requeue_shard, requeue_stream
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from tests.support.kinesis_stream import SHARD, STREAM, PutRecords, event
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud

pytestmark = pytest.mark.stack
TARGET = StreamTarget("w", STREAM, BUCKETS, "recorded_at")
PRESENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RAW, QUARANTINE = f"raw/w/{STREAM}/", f"quarantine/w/{STREAM}/"
# Without recorded_at, which the mended decoder of these tests does not require.
OLD = [event(n).replace(b'"recorded_at"', b'"written_at"') for n in range(3)]


@pytest.fixture
def quarantined(cloud: MotoCloud, stream: PutRecords) -> str:
    """The key of a quarantine object with three events in an old form and one record that is no event."""
    stream(event(7), *OLD, b"no JSON")
    until = datetime(2999, 1, 1, tzinfo=UTC)
    ShardIngest(TARGET, SHARD, until, source=KinesisHook(), objects=ObjectStoreHook(), state=StateHook(STATE)).run()
    (key,) = cloud.keys(QUARANTINE)
    return key


@pytest.fixture
def mended(quarantined: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mend, after the records were refused: the decoder understands the old form."""
    original = decode.decode

    def understand(data: bytes) -> Any:
        return original(data.replace(b'"written_at"', b'"recorded_at"'))

    monkeypatch.setattr("include.pipelines.ingest.entries.decode", understand)


def requeue(objects: Any = None, state: Any = None, present: datetime = PRESENT, **options: bool) -> list[Requeued]:
    request = RequeueRequest(present, "code-2", **options)
    return requeue_stream(TARGET, request, objects=objects or ObjectStoreHook(), state=state or StateHook(STATE))


def numbers(cloud: MotoCloud) -> list[int]:
    """The numbers of the events in raw."""
    return sorted(line["event"]["payload"]["n"] for line in cloud.lines(RAW))


@pytest.mark.usefixtures("mended")
def test_what_decodes_now_gets_into_raw_with_lineage_and_markers(cloud: MotoCloud, quarantined: str) -> None:
    shard = requeue_shard(quarantined)
    done = {"quarantine": quarantined, "requeued_at": "2026-03-01T12:00:00.000000Z", "code_sha": "code-2"}
    assert requeue() == [{**done, "records": 3, "quarantined": 1}]
    lines = {line["event"]["payload"]["n"]: line for line in cloud.lines(RAW)}
    assert [(lines[n]["shard_id"], lines[n]["sequence_number"]) for n in range(3)] == [
        (shard, "1"),
        (shard, "2"),
        (shard, "3"),
    ]
    assert lines[0]["arrived_at"] == done["requeued_at"], "it arrived when it was requeued, not before"
    item = StateHook(STATE).get(*state_keys.requeue_key("w", STREAM, shard))
    assert item == {**done, "records": 3, "quarantined": 1}
    (raw_key,) = [key for key in cloud.keys(RAW) if "requeued-" in key]
    markers = cloud.keys(f"index/w/{STREAM}/event_date=2013-03-01/")
    assert raw_key in [layout.marked_raw_key("w", STREAM, marker) for marker in markers]


@pytest.mark.usefixtures("mended")
def test_a_record_that_is_refused_again_stays_in_quarantine_with_the_new_reason(
    cloud: MotoCloud, quarantined: str
) -> None:
    requeue()
    (again,) = [key for key in cloud.keys(QUARANTINE) if key != quarantined]
    (line,) = cloud.lines(again)
    assert "not JSON" in line["reason"] and line["shard_id"] == requeue_shard(quarantined)
    assert len(cloud.lines(quarantined)) == 4, "the old object stays as it was"
    (second,) = requeue()
    assert (second["quarantine"], second["records"], second["quarantined"]) == (again, 0, 1)


@pytest.mark.usefixtures("mended")
def test_no_record_gets_into_raw_twice(cloud: MotoCloud, quarantined: str) -> None:
    for _ in range(3):
        requeue()
    assert numbers(cloud) == [0, 1, 2, 7]


class CrashError(Exception):
    """The worker dies."""


class Dying:
    """A hook that dies at its n-th write, before or after it."""

    def __init__(self, hook: Any, writes: list[int], after: bool) -> None:
        self._hook, self._writes, self._after = hook, writes, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._hook, name)
        if name not in ("put", "put_once", "advance"):
            return method

        def write(*arguments: Any, **options: Any) -> Any:
            self._writes[0] -= 1
            if self._writes[0] == 0 and not self._after:
                raise CrashError
            result = method(*arguments, **options)
            if self._writes[0] == 0:
                raise CrashError
            return result

        return write


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 9))
def test_a_crash_at_any_write_loses_and_doubles_nothing(
    cloud: MotoCloud, quarantined: str, write: int, after: bool
) -> None:
    writes = [write]
    hooks: dict[str, Any] = {
        "objects": Dying(ObjectStoreHook(), writes, after),
        "state": Dying(StateHook(STATE), writes, after),
    }
    crashed = True
    try:
        requeue(**hooks)
        crashed = False
    except CrashError:
        pass
    next_day = datetime(2026, 3, 2, 12, tzinfo=UTC)
    try:
        requeue(present=next_day)
    except NothingToDoError:
        assert not crashed
    assert numbers(cloud) == [0, 1, 2, 7]
    reasons = [line["reason"] for key in cloud.keys(QUARANTINE) if key != quarantined for line in cloud.lines(key)]
    assert reasons and all("not JSON" in reason for reason in reasons)


class NoMarkers(ObjectStoreHook):
    """Dies before it marks a day."""

    def put(self, bucket: str, key: str, body: Any) -> None:
        if key.startswith("index/"):
            raise CrashError
        super().put(bucket, key, body)


@pytest.mark.usefixtures("mended")
def test_what_a_crash_left_unmarked_is_not_known_from_the_watermark_of_that_time(cloud: MotoCloud) -> None:
    """Data sets up to the second watermark were built without these records, so they must never be in them."""
    key = state_keys.watermark_key("w", STREAM)
    StateHook(STATE).put(*key, {"watermark": "2026-03-01T00:00:00.000000Z"})
    with pytest.raises(CrashError):
        requeue(NoMarkers())
    StateHook(STATE).put(*key, {"watermark": "2026-03-02T00:00:00.000000Z"})
    requeue()
    markers = [marker for marker in cloud.keys(f"index/w/{STREAM}/") if "requeued-" in marker]
    known = [layout.marked_known_from(marker) for marker in markers]
    assert known and {found and found.recorded_at for found in known} == {datetime(2026, 3, 2, tzinfo=UTC)}


def test_without_a_mend_everything_stays_in_quarantine(cloud: MotoCloud, quarantined: str) -> None:
    (done,) = requeue()
    assert (done["records"], done["quarantined"]) == (0, 4)
    assert numbers(cloud) == [7]


def test_a_dry_run_reads_nothing(cloud: MotoCloud, quarantined: str) -> None:
    before = cloud.keys("", BUCKETS.lake), cloud.keys("", BUCKETS.raw)
    with pytest.raises(NothingToDoError, match=f"1 quarantine objects again: {quarantined}"):
        requeue(dry_run=True)
    assert (cloud.keys("", BUCKETS.lake), cloud.keys("", BUCKETS.raw)) == before


def test_without_quarantine_there_is_nothing_to_do(cloud: MotoCloud) -> None:
    with pytest.raises(NothingToDoError, match="nothing to requeue"):
        requeue()
