"""Which shards a run reads, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from nightjar.kinesis.hook import KinesisHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import state_keys
from include.pipelines.ingest.stream import ingest_lineage, unread_lineages
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.protocols import Shard
from tests.support.kinesis_stream import STREAM
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud

pytestmark = pytest.mark.stack
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def shard_ids(cloud: MotoCloud) -> list[str]:
    cloud.client("kinesis").create_stream(StreamName=STREAM, ShardCount=2)
    return [found["shard_id"] for found in KinesisHook().shards(STREAM)]


def close(shard_id: str) -> None:
    item = {"closed": True, "sequence_number": None, "position": "0"}
    StateHook(STATE).put(*state_keys.checkpoint_key("w", STREAM, shard_id), item)


def ingest(shards: list[Shard]) -> list[str]:
    summaries = ingest_lineage(
        StreamTarget("w", STREAM, BUCKETS, "recorded_at"),
        shards,
        FOREVER,
        source=KinesisHook(),
        objects=ObjectStoreHook(),
        state=StateHook(STATE),
    )
    return [summary["shard_id"] for summary in summaries]


def test_a_child_is_read_only_when_its_parents_are_read_to_their_end(shard_ids: list[str]) -> None:
    parent, child = shard_ids
    shards: list[Shard] = [{"shard_id": parent, "parents": []}, {"shard_id": child, "parents": [parent]}]
    assert ingest(shards) == [parent], "the parent is open, so the child waits"
    close(parent)
    assert ingest(shards) == shard_ids


def test_a_shard_that_is_read_to_its_end_is_not_read_again(shard_ids: list[str]) -> None:
    source, state = KinesisHook(), StateHook(STATE)
    groups = unread_lineages("w", STREAM, source=source, state=state)
    assert [[shard["shard_id"] for shard in group] for group in groups] == [[shard_id] for shard_id in shard_ids]
    close(shard_ids[0])
    assert unread_lineages("w", STREAM, source=source, state=state) == [[{"shard_id": shard_ids[1], "parents": []}]]
