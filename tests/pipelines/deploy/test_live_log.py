"""The live log on a real state table: what is lost or altered is noticed, never taken for "nothing is live"."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.state.hook import StateHook

from include.errors import ConflictError
from include.lake import state_keys
from include.pipelines.deploy import LiveStateError
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer, begun, went_live
from include.pipelines.deploy.live_log import append, newest_entry, read_pointer
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack

PARTITION = state_keys.live_partition_key("flights")
SERVING = EcsInMemory.running("t1", MODEL_VERSION="3", BUNDLE_DIGEST="d3", DEPLOY_REVISION="1")


@pytest.fixture
def table(aws: Any) -> StateHook:
    create_state_table(aws("dynamodb"), "state")
    return StateHook("state")


@pytest.fixture
def live(table: StateHook) -> LivePointer:
    """Version 3 is live: two entries."""
    intent = begun(NOTHING_LIVE, run_id="run-1", kind="deploy", version=3, release_hold=False, reason=None)
    append("flights", intent, table)
    verified = went_live(intent, version=3, bundle_digest="d3", task_definition="t1", image="app:1")
    return append("flights", verified, table)


def delete(aws: Any, *sort_keys: str) -> None:
    for sort_key in sort_keys:
        aws("dynamodb").delete_item(TableName="state", Key={"pk": {"S": PARTITION}, "sk": {"S": sort_key}})


def test_what_is_written_is_read(table: StateHook, live: LivePointer) -> None:
    assert newest_entry("flights", table) == live == read_pointer("flights", table, SERVING)
    assert len(table.query(PARTITION)) == 3


def test_before_the_first_deploy_nothing_is_live(table: StateHook) -> None:
    assert read_pointer("flights", table, EcsInMemory()) == NOTHING_LIVE


def test_a_deleted_or_outdated_pointer_is_derived_from_the_entries(
    table: StateHook, live: LivePointer, aws: Any
) -> None:
    delete(aws, "pointer")
    assert read_pointer("flights", table, SERVING) == live
    table.put(*state_keys.live_key("flights"), {**NOTHING_LIVE, "revision": 1})
    assert read_pointer("flights", table, SERVING) == live


def entry(revision: int) -> str:
    return state_keys.live_entry_key("flights", revision)[1]


@pytest.mark.parametrize(
    "deleted",
    [
        [entry(1), entry(2), "pointer"],
        [entry(1), entry(2)],
        [entry(2)],
    ],
)
def test_a_lost_record_is_no_empty_one(table: StateHook, live: LivePointer, aws: Any, deleted: list[str]) -> None:
    """This was red before: a deleted pointer was "nothing live", and the next retrain run deployed by itself."""
    delete(aws, *deleted)
    with pytest.raises(LiveStateError, match="make repair-live WORKLOAD=flights"):
        read_pointer("flights", table, SERVING)


def test_entries_lost_at_the_end_show_in_what_ecs_runs(table: StateHook, live: LivePointer) -> None:
    later = EcsInMemory.running("t9", MODEL_VERSION="4", BUNDLE_DIGEST="d4", DEPLOY_REVISION="3")
    with pytest.raises(LiveStateError, match="ends at 2"):
        read_pointer("flights", table, later)


@pytest.mark.parametrize("sort_key", ["pointer", entry(2)])
@pytest.mark.parametrize("change", [{"hold": True}, {"version": 2}, {"bundle_digest": "d2"}, {"history": [3, 1]}])
def test_an_edit_by_hand_is_noticed(table: StateHook, live: LivePointer, sort_key: str, change: Any) -> None:
    item = table.get(PARTITION, sort_key)
    assert item is not None
    table.put(PARTITION, sort_key, {**item, **change})
    with pytest.raises(LiveStateError, match="altered"):
        read_pointer("flights", table, SERVING)


def test_an_edit_with_a_right_digest_disagrees_with_ecs(table: StateHook, live: LivePointer) -> None:
    append("flights", {**live, "version": 2, "bundle_digest": "d2", "revision": 3}, table)
    with pytest.raises(LiveStateError, match="runs version 3 with bundle d3"):
        read_pointer("flights", table, SERVING)


def test_a_pointer_of_an_older_release_without_entries_asks_for_the_repair(table: StateHook) -> None:
    table.put(*state_keys.live_key("flights"), {"version": 3, "hold": True, "revision": 4, "history": [3]})
    with pytest.raises(LiveStateError, match="no entries"):
        newest_entry("flights", table)


def test_a_retry_finds_its_own_entry_and_another_writer_is_a_conflict(table: StateHook, live: LivePointer) -> None:
    mine = begun(live, run_id="run-2", kind="deploy", version=4, release_hold=False, reason=None)
    assert append("flights", mine, table) == append("flights", mine, table) == mine
    other = begun(live, run_id="run-3", kind="deploy", version=4, release_hold=False, reason=None)
    with pytest.raises(ConflictError, match="Another run"):
        append("flights", other, table)
    assert newest_entry("flights", table) == mine
