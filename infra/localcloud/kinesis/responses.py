"""Kinesis actions that moto answers wrongly or slowly. The body is parsed once and answered as JSON: a batch has 500 records."""

from __future__ import annotations

import json

from moto.core.responses import ActionResult
from moto.kinesis.responses import KinesisResponse

DEFAULT_SHARDS_PAGE = 1000


def put_records(self: KinesisResponse) -> str:
    """PutRecords."""
    asked = json.loads(self.body)
    return json.dumps(
        self.kinesis_backend.put_records(asked.get("StreamARN"), asked.get("StreamName"), asked["Records"])
    )


def get_records(self: KinesisResponse) -> str:
    """GetRecords."""
    asked = json.loads(self.body)
    token, records, behind, children = self.kinesis_backend.read(asked["ShardIterator"], asked.get("Limit"))  # type: ignore[attr-defined]
    answer = {"Records": [record.as_dict() for record in records], "MillisBehindLatest": behind}
    if token is not None:
        answer["NextShardIterator"] = token
    if children:
        answer["ChildShards"] = children
    return json.dumps(answer)


def list_shards(self: KinesisResponse) -> ActionResult:
    """ListShards."""
    shards, token = self.kinesis_backend.shards_page(  # type: ignore[attr-defined]
        self._get_param("StreamARN"),
        self._get_param("StreamName"),
        after=self._get_param("ExclusiveStartShardId"),
        shard_filter=self._get_param("ShardFilter") or {},
        limit=self._get_param("MaxResults") or DEFAULT_SHARDS_PAGE,
        next_token=self._get_param("NextToken"),
    )
    return ActionResult({"Shards": [shard.to_json() for shard in shards], "NextToken": token})
