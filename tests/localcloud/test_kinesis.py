"""Kinesis streams: order, iterators, resharding. Nothing may be lost, moved or read twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def kinesis(cloud: Cloud) -> Any:
    return cloud.client("kinesis")


@pytest.fixture
def stream(kinesis: Any, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", "-").replace("]", "")[:120]
    kinesis.create_stream(StreamName=name, ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    return name


def put(kinesis: Any, stream: str, names: list[str]) -> dict[str, str]:
    """Puts records whose data is their key; returns shard by name."""
    shards: dict[str, str] = {}
    for start in range(0, len(names), 500):
        batch = names[start : start + 500]
        answer = kinesis.put_records(
            StreamName=stream, Records=[{"Data": name.encode(), "PartitionKey": name} for name in batch]
        )
        assert answer["FailedRecordCount"] == 0
        shards |= {name: record["ShardId"] for name, record in zip(batch, answer["Records"], strict=True)}
    return shards


def read(kinesis: Any, stream: str, shard: str, **start: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Reads to the end of a closed shard, or to the newest record; the last answer shows which."""
    start = start or {"ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **start)["ShardIterator"]
    records: list[dict[str, Any]] = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=300)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        if iterator is None or (not answer["Records"] and answer["MillisBehindLatest"] == 0):
            return records, answer


def keys(records: list[dict[str, Any]]) -> list[str]:
    return [record["Data"].decode() for record in records]


def test_records_come_back_in_order_with_rising_sequence_numbers(kinesis: Any, stream: str) -> None:
    names = [f"k{n}" for n in range(1200)]
    shards = put(kinesis, stream, names)
    assert len(set(shards.values())) == 2
    for shard in set(shards.values()):
        records, last = read(kinesis, stream, shard)
        assert keys(records) == [name for name in names if shards[name] == shard]
        numbers = [record["SequenceNumber"] for record in records]
        assert numbers == sorted(numbers) == sorted(numbers, key=int)
        assert last["NextShardIterator"]


def test_an_explicit_hash_key_and_the_last_hash_key_find_a_shard(kinesis: Any, stream: str) -> None:
    last = str(2**128 - 1)
    answer = kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="p", ExplicitHashKey=last)
    assert answer["ShardId"] == "shardId-000000000001"
    with pytest.raises(ClientError, match="ExplicitHashKey"):
        kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="p", ExplicitHashKey=str(2**128))


def test_a_split_parent_keeps_its_records_ends_and_names_its_children(kinesis: Any, stream: str) -> None:
    before = put(kinesis, stream, [f"before{n}" for n in range(400)])
    parent = "shardId-000000000000"
    kinesis.split_shard(StreamName=stream, ShardToSplit=parent, NewStartingHashKey=str(2**126))
    after = put(kinesis, stream, [f"after{n}" for n in range(400)])
    assert parent not in after.values()
    records, last = read(kinesis, stream, parent)
    assert keys(records) == [name for name, shard in before.items() if shard == parent]
    assert "NextShardIterator" not in last
    children = {child["ShardId"] for child in last["ChildShards"]}
    assert children == {"shardId-000000000002", "shardId-000000000003"}
    listed = {shard["ShardId"]: shard for shard in kinesis.list_shards(StreamName=stream)["Shards"]}
    assert {listed[child]["ParentShardId"] for child in children} == {parent}
    assert "EndingSequenceNumber" in listed[parent]["SequenceNumberRange"]
    for child in children:
        records, _ = read(kinesis, stream, child)
        assert keys(records) == [name for name, shard in after.items() if shard == child]
        assert int(records[0]["SequenceNumber"]) > int(listed[parent]["SequenceNumberRange"]["EndingSequenceNumber"])
    with pytest.raises(ClientError, match="already been merged or split"):
        kinesis.split_shard(StreamName=stream, ShardToSplit=parent, NewStartingHashKey=str(2**125))


def test_a_reader_at_the_end_sees_that_its_shard_was_closed(kinesis: Any, stream: str) -> None:
    shard = "shardId-000000000000"
    latest = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    following = kinesis.get_records(ShardIterator=latest)["NextShardIterator"]
    kinesis.merge_shards(StreamName=stream, ShardToMerge=shard, AdjacentShardToMerge="shardId-000000000001")
    last = kinesis.get_records(ShardIterator=following)
    assert "NextShardIterator" not in last
    assert last["ChildShards"][0]["ParentShards"] == [shard, "shardId-000000000001"]


def test_resharding_loses_and_repeats_nothing(kinesis: Any, stream: str) -> None:
    sent: list[str] = []
    for step, count in enumerate((2, 4, 3, 2, 1)):
        if step:
            kinesis.update_shard_count(StreamName=stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
        names = [f"s{step}-{n}" for n in range(300)]
        assert len(set(put(kinesis, stream, names).values())) == count
        sent += names
        assert kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["OpenShardCount"] == count
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    seen = Counter(key for shard in shards for key in keys(read(kinesis, stream, shard["ShardId"])[0]))
    assert seen == Counter(sent)
    known: set[str] = set()
    for shard in shards:  # parents before children
        parents = {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")} - {None}
        assert parents <= known
        known.add(shard["ShardId"])
    with pytest.raises(ClientError, match="at most double"):
        kinesis.update_shard_count(StreamName=stream, TargetShardCount=5, ScalingType="UNIFORM_SCALING")


def test_neighbours_merge_in_either_order_and_others_do_not(kinesis: Any, stream: str) -> None:
    kinesis.update_shard_count(StreamName=stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    low, _, high = "shardId-000000000002", "shardId-000000000003", "shardId-000000000005"
    with pytest.raises(ClientError, match="adjacent"):
        kinesis.merge_shards(StreamName=stream, ShardToMerge=low, AdjacentShardToMerge=high)
    kinesis.merge_shards(StreamName=stream, ShardToMerge="shardId-000000000003", AdjacentShardToMerge=low)
    merged = kinesis.list_shards(StreamName=stream)["Shards"][-1]
    assert merged["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(2**127 - 1)}


def test_iterators_begin_at_their_position(kinesis: Any, stream: str) -> None:
    shard = "shardId-000000000000"
    low = [{"Data": str(n).encode(), "PartitionKey": "p", "ExplicitHashKey": "0"} for n in range(10)]
    numbers = [record["SequenceNumber"] for record in kinesis.put_records(StreamName=stream, Records=low)["Records"]]

    def got(**start: Any) -> list[str]:
        return keys(read(kinesis, stream, shard, **start)[0])

    assert got(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3])[0] == "3"
    assert got(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3])[0] == "4"
    assert got(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[-1]) == []
    assert got(ShardIteratorType="LATEST") == []
    now = datetime.now(UTC)
    assert len(got(ShardIteratorType="AT_TIMESTAMP", Timestamp=now - timedelta(hours=1))) == 10
    assert got(ShardIteratorType="AT_TIMESTAMP", Timestamp=now + timedelta(hours=1)) == []
    begins = kinesis.list_shards(StreamName=stream)["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert len(got(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=begins)) == 10
    with pytest.raises(ClientError, match="did not come from this shard"):
        read(
            kinesis,
            stream,
            "shardId-000000000001",
            ShardIteratorType="AFTER_SEQUENCE_NUMBER",
            StartingSequenceNumber=numbers[3],
        )


def test_shards_are_listed_in_pages_and_filtered(kinesis: Any, stream: str) -> None:
    kinesis.update_shard_count(StreamName=stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=stream, PaginationConfig={"PageSize": 4})
    assert [len(page["Shards"]) for page in pages] == [4, 2]

    def listed(**arguments: Any) -> list[int]:
        return [int(shard["ShardId"][-3:]) for shard in kinesis.list_shards(StreamName=stream, **arguments)["Shards"]]

    assert listed(ShardFilter={"Type": "AT_LATEST"}) == [2, 3, 4, 5]
    assert listed(ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000003"}) == [4, 5]
    assert listed(ExclusiveStartShardId="shardId-000000000004") == [5]


def test_an_answer_holds_at_most_ten_mebibytes(kinesis: Any, stream: str) -> None:
    for _ in range(3):
        big = [{"Data": b"x" * 1_000_000, "PartitionKey": "p", "ExplicitHashKey": "0"} for _ in range(5)]
        kinesis.put_records(StreamName=stream, Records=big)
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    first = kinesis.get_records(ShardIterator=iterator["ShardIterator"])
    assert len(first["Records"]) == 10
    assert len(kinesis.get_records(ShardIterator=first["NextShardIterator"])["Records"]) == 5
