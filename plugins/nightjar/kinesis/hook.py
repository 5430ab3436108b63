"""Kinesis streams: their shards, and readers of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.utils import parse_timestamp

from nightjar.kinesis.shard_reader import ShardReader

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


class Shard(TypedDict):
    """A shard, and those of its parents that still hold records."""

    shard_id: str
    parents: list[str]


class KinesisHook(AwsGenericHook["KinesisClient"]):
    """Lists the shards of a stream and reads their records in order."""

    def __init__(self, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="kinesis", **kwargs)

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Session:
        """Returns a session whose clients read times in UTC: a local time takes longer than the rest of a record."""
        session: Any = super().get_session(region_name=region_name, deferrable=deferrable)
        if not deferrable:
            parsers = session._session.get_component("response_parser_factory")
            parsers.set_parser_defaults(timestamp_parser=_utc)
        return session

    def shards(self, stream: str) -> list[Shard]:
        """Lists the shards that still hold records."""
        page = self.conn.list_shards(StreamName=stream)
        found = page["Shards"]
        while token := page.get("NextToken"):
            page = self.conn.list_shards(NextToken=token)  # Kinesis refuses a stream's name beside a token
            found += page["Shards"]
        known = {shard["ShardId"] for shard in found}
        return [
            {"shard_id": shard["ShardId"], "parents": [parent for parent in _parents(shard) if parent in known]}
            for shard in found
        ]

    def reader(self, stream: str, shard_id: str, until: datetime) -> ShardReader:
        """Returns a reader of one shard that stops before the first record that arrived at ``until`` or later."""
        return ShardReader(self.conn, stream, shard_id, until)


def _utc(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, float | int) else parse_timestamp(value)


def _parents(shard: ShardTypeDef) -> list[str]:
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return [parent for parent in parents if parent]
