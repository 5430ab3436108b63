"""The stream's watermark: how it advances, and when a wait for watermarks ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import NothingToDoError
from include.lake import state_keys
from include.pipelines.ingest.complete import completing_advice, watermark_status
from include.pipelines.ingest.types import ShardSummary
from include.pipelines.ingest.watermark import advance_watermark
from tests.support.histories import AdvancingState
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud
from tests.support.tiny_workload import tiny_workload

STREAM = "nightjar-shop"


def checkpoint(shard_id: str) -> tuple[str, str]:
    return state_keys.checkpoint_key("shop", STREAM, shard_id)


def summary(records: int = 1, next_recorded_at: str = "") -> ShardSummary:
    return {
        "shard_id": "a",
        "records": records,
        "feedback": 0,
        "quarantined": 0,
        "objects": 1,
        "repaired": 0,
        "next_recorded_at": next_recorded_at,
        "closed": False,
    }


def advance(
    folder: Path,
    clock: str,
    summaries: list[ShardSummary],
    until: datetime = datetime(2014, 1, 1, tzinfo=UTC),
    complete_to: datetime | None = None,
    state: Any = None,
    complete: Mapping[str, str] | None = None,
) -> str | None:
    changes: dict[str, Any] = {"stream__complete": complete} if complete else {}
    workload = tiny_workload(folder / str(len(list(folder.iterdir()))), clock=clock, **changes)
    stores: Any = {"objects": ObjectStoreHook(), "state": state or StateHook(STATE)}
    return advance_watermark(workload, [summaries], until, complete_to, buckets=BUCKETS, **stores)


def watermark() -> str | None:
    return (StateHook(STATE).get(*state_keys.watermark_key("shop", STREAM)) or {}).get("watermark")


@pytest.mark.stack
def test_the_watermark_by_arrival_is_the_end_of_the_run_and_never_goes_back(cloud: MotoCloud, tmp_path: Path) -> None:
    assert advance(tmp_path, "arrived_at", [summary()]) == "2014-01-01T00:00:00.000000Z"
    advance(tmp_path, "arrived_at", [summary()], until=datetime(2013, 6, 1, tzinfo=UTC))
    assert watermark() == "2014-01-01T00:00:00.000000Z"


@pytest.mark.stack
def test_the_watermark_by_recording_is_the_newest_read_but_not_beyond_what_is_unread(
    cloud: MotoCloud, tmp_path: Path
) -> None:
    state = StateHook(STATE)
    state.put(*checkpoint("a"), {"max_recorded_at": "2013-03-01T10:00:00.000000Z"})
    state.put(*checkpoint("b"), {"max_recorded_at": "2013-03-01T12:00:00.000000Z"})
    unread = summary(next_recorded_at="2013-03-01T11:00:00.000000Z")
    assert advance(tmp_path, "recorded_at", [summary(), unread]) == "2013-03-01T11:00:00.000000Z"
    assert advance(tmp_path, "recorded_at", [summary()]) == "2013-03-01T12:00:00.000000Z"
    assert (
        advance(tmp_path, "recorded_at", [summary()], complete_to=datetime(2013, 3, 2, tzinfo=UTC))
        == "2013-03-02T00:00:00.000000Z"
    )


@pytest.mark.stack
def test_a_producer_with_a_wrong_clock_does_not_take_the_watermark_beyond_the_run(
    cloud: MotoCloud, tmp_path: Path
) -> None:
    StateHook(STATE).put(*checkpoint("a"), {"max_recorded_at": "2999-01-01T00:00:00.000000Z"})
    assert advance(tmp_path, "recorded_at", [summary()]) is None
    StateHook(STATE).put(*checkpoint("b"), {"max_recorded_at": "2013-03-01T00:00:00.000000Z"})
    assert advance(tmp_path, "recorded_at", [summary()]) == "2013-03-01T00:00:00.000000Z"


@pytest.mark.stack
def test_in_a_replay_no_record_moves_the_watermark_beyond_what_was_sent(cloud: MotoCloud, tmp_path: Path) -> None:
    StateHook(STATE).put(*checkpoint("a"), {"max_recorded_at": "2013-12-01T00:00:00.000000Z"})
    replayed_to = datetime(2013, 3, 2, tzinfo=UTC)
    assert advance(tmp_path, "recorded_at", [summary()], complete_to=replayed_to) == "2013-03-02T00:00:00.000000Z"


@pytest.mark.stack
def test_an_interval_without_data_is_skipped_with_a_text(cloud: MotoCloud, tmp_path: Path) -> None:
    with pytest.raises(NothingToDoError, match="No record arrived before 2014-01-01"):
        advance(tmp_path, "arrived_at", [summary(records=0)])
    assert watermark() == "2014-01-01T00:00:00.000000Z", "an empty interval is complete too"


@pytest.mark.stack
def test_before_the_first_record_there_is_no_watermark_by_recording(cloud: MotoCloud, tmp_path: Path) -> None:
    with pytest.raises(NothingToDoError):
        advance(tmp_path, "recorded_at", [])
    assert watermark() is None


NOON = datetime(2013, 3, 1, 12, tzinfo=UTC)
QUIET = {"by": "quiet", "period": "PT2H"}


def checkpoints(**shards: tuple[str, str]) -> AdvancingState:
    """A state table in memory: shard → its newest ``recorded_at`` and its newest arrival, as times of one day."""
    state = AdvancingState()
    for shard, times in shards.items():
        recorded, arrived = (f"2013-03-01T{time}:00.000000Z" for time in times)
        state.put(*checkpoint(shard.replace("_", "-")), {"max_recorded_at": recorded, "max_arrived_at": arrived})
    return state


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (checkpoints(a=("09:50", "10:00")), "10:00"),  # two hours without a record
        (checkpoints(a=("09:50", "10:01")), "09:50"),  # not quite
        (checkpoints(a=("08:00", "08:00"), b=("09:00", "11:00")), "09:00"),  # another shard is not quiet
        (checkpoints(a=("08:00", "08:00"), b=("09:00", "09:01")), "10:00"),
        (checkpoints(a=("08:00", "08:00"), b=("09:00", "13:00")), "09:00"),  # read by a later run
    ],
)
def test_a_quiet_stream_is_complete_up_to_the_quiet_period_before_the_end_of_the_run(
    tmp_path: Path, state: AdvancingState, expected: str
) -> None:
    assert advance(tmp_path, "recorded_at", [summary()], NOON, state=state, complete=QUIET) == (
        f"2013-03-01T{expected}:00.000000Z"
    )
    newest = max(
        text for item in state.query(f"checkpoint#shop#{STREAM}").values() for text in [item["max_recorded_at"]]
    )
    assert advance(tmp_path, "recorded_at", [summary()], NOON, state=state) == newest, "without the declaration"


def test_a_quiet_stream_does_not_pass_a_record_that_is_unread(tmp_path: Path) -> None:
    state, unread = checkpoints(a=("09:50", "10:00")), summary(next_recorded_at="2013-03-01T09:55:00.000000Z")
    assert (
        advance(tmp_path, "recorded_at", [unread], NOON, state=state, complete=QUIET) == "2013-03-01T09:55:00.000000Z"
    )


def test_a_stream_without_any_record_is_not_quiet(tmp_path: Path) -> None:
    with pytest.raises(NothingToDoError):
        advance(tmp_path, "recorded_at", [], NOON, state=AdvancingState(), complete=QUIET)


def test_a_requeued_record_moves_no_watermark(tmp_path: Path) -> None:
    state = checkpoints(a=("09:00", "09:00"), requeued_1=("11:00", "11:30"))
    assert advance(tmp_path, "recorded_at", [summary()], NOON, state=state) == "2013-03-01T09:00:00.000000Z"
    state = checkpoints(a=("09:00", "09:00"), requeued_1=("11:00", "11:30"))
    assert (
        advance(tmp_path, "recorded_at", [summary()], NOON, state=state, complete=QUIET)
        == "2013-03-01T10:00:00.000000Z"
    )


@pytest.mark.parametrize(
    ("complete", "text"),
    [
        ({}, "It waits for a record of the stream nightjar-shop that was recorded after that instant"),
        (
            {"by": "heartbeat", "event": "beat"},
            r"It waits for a heartbeat \(event type beat\) on the stream nightjar-shop",
        ),
        (QUIET, "It waits for 2:00:00 without a record, or a record of the stream nightjar-shop"),
    ],
)
def test_a_wait_that_fails_says_what_it_waited_for_and_what_to_do(
    tmp_path: Path, complete: dict[str, str], text: str
) -> None:
    changes: dict[str, Any] = {"stream__complete": complete} if complete else {}
    advice = completing_advice(tiny_workload(tmp_path, **changes))
    assert re.match(text, advice)
    assert "for a snapshot of makers after it" in advice and "run shop_ingest_stream with complete_to." in advice
    assert ("declare stream.complete" in advice) == (not complete)


def test_a_wait_by_arrival_waits_for_runs(tmp_path: Path) -> None:
    assert completing_advice(tiny_workload(tmp_path, clock="arrived_at")).startswith(
        "It waits for a run of shop_ingest_stream, and of ingest_tables"
    )


def test_a_wait_ends_when_every_watermark_is_reached_compared_as_times() -> None:
    at_least = "2013-03-02T00:00:00.000000Z"
    late = {"watermark": "2013-03-01T23:59:59.999999Z"}
    exact = {"watermark": "2013-03-02T00:00:00Z"}
    offset = {"watermark": "2013-03-01T22:00:00-05:00"}

    def status(first: Any, second: Any) -> Any:
        return watermark_status({("pk", "s"): first, ("pk", "t"): second}, at_least)

    assert status(exact, offset) == {
        "status": "reached",
        "watermarks": {"s": exact["watermark"], "t": offset["watermark"]},
    }
    assert status(exact, late) is None
    assert status(exact, None) is None
    assert status(exact, {}) is None
