"""Kinesis actions that moto answers wrongly or slowly. A batch has 500 records, so the body is parsed only once."""

from __future__ import annotations

import json

from moto.core.responses import ActionResult, EmptyResult
from moto.kinesis.responses import KinesisResponse

from infra.localcloud.kinesis.models import KinesisBackend

DEFAULT_SHARDS_PAGE = 1000


def _backend(response: KinesisResponse) -> KinesisBackend:
    backend = response.kinesis_backend
    assert isinstance(backend, KinesisBackend)
    return backend


def create_stream(self: KinesisResponse) -> ActionResult:
    """Answers CreateStream; moto drops the tags."""
    backend, name = _backend(self), self._get_param("StreamName")
    stream = backend.create_stream(name, self._get_param("ShardCount"), self._get_param("StreamModeDetails"))
    stream.tags.update(self._get_param("Tags") or {})
    return EmptyResult()


def put_records(self: KinesisResponse) -> str:
    """Answers PutRecords."""
    request = json.loads(self.body)
    return json.dumps(
        _backend(self).put_records(request.get("StreamARN"), request.get("StreamName"), request["Records"])
    )


def get_records(self: KinesisResponse) -> str:
    """Answers GetRecords."""
    request = json.loads(self.body)
    read = _backend(self).read_records(request["ShardIterator"], request.get("Limit"))
    answer = {"Records": [record.as_dict() for record in read.records], "MillisBehindLatest": read.millis_behind}
    if read.next_iterator is not None:
        answer["NextShardIterator"] = read.next_iterator
    if read.children:
        answer["ChildShards"] = read.children
    return json.dumps(answer)


def list_shards(self: KinesisResponse) -> ActionResult:
    """Answers ListShards."""
    shards, token = _backend(self).list_shards_page(
        self._get_param("StreamARN"),
        self._get_param("StreamName"),
        after=self._get_param("ExclusiveStartShardId"),
        shard_filter=self._get_param("ShardFilter") or {},
        limit=self._get_param("MaxResults") or DEFAULT_SHARDS_PAGE,
        next_token=self._get_param("NextToken"),
    )
    return ActionResult({"Shards": [shard.to_json() for shard in shards], "NextToken": token})
