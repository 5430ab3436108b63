"""Objects of a bucket: write-once puts, listings with checksums, JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, NamedTuple

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import ClientError

HEAD_THREADS = 8
NOT_FOUND = {"404", "NoSuchKey", "NotFound"}
EXISTS = {"PreconditionFailed", "ConditionalRequestConflict"}


class Stored(NamedTuple):
    """What S3 says of an object: its SHA-256 checksum (base64) and its user metadata."""

    sha256: str
    metadata: dict[str, str]


class ObjectStoreHook(AwsBaseHook):
    """S3, as the lake uses it."""

    def __init__(self, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        config = Config(max_pool_connections=HEAD_THREADS, retries={"mode": "standard", "max_attempts": 5})
        super().__init__(aws_conn_id=aws_conn_id, client_type="s3", config=config, **kwargs)

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object if the key is free; False where it is taken (what is there stays as it is)."""
        try:
            self.conn.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                Metadata=dict(metadata or {}),
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in EXISTS:
                raise
            return False
        return True

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        """Writes the object, replacing what was there. Not for raw objects."""
        self.conn.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """User metadata of an object."""
        return self.conn.head_object(Bucket=bucket, Key=key)["Metadata"]

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """The object's body as a stream."""
        return self.conn.get_object(Bucket=bucket, Key=key)["Body"]

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Keys below a prefix, in order."""
        for page in self.conn.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (entry["Key"] for entry in page.get("Contents", ()))

    def any(self, bucket: str, prefix: str) -> bool:
        """Whether there is an object below the prefix."""
        return bool(self.conn.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))

    def stored(self, bucket: str, keys: Sequence[str]) -> dict[str, Stored]:
        """What S3 says of each object, in the keys' order; one HEAD request each, eight at a time.

        Raises ValueError that names the object which carries no SHA-256: it was not written by the platform.
        """

        def head(key: str) -> Stored:
            answer = self.conn.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            checksum = answer.get("ChecksumSHA256")
            if not checksum:
                raise ValueError(
                    f"s3://{bucket}/{key} has no SHA-256 checksum. Write it again with ChecksumAlgorithm=SHA256."
                )
            return Stored(checksum, answer["Metadata"])

        with ThreadPoolExecutor(HEAD_THREADS) as pool:
            return dict(zip(keys, pool.map(head, keys), strict=True))

    def get_json(self, bucket: str, key: str) -> Any | None:
        """A JSON document, None where there is no such object; ValueError (with its key) where it is not JSON."""
        try:
            body = self.open(bucket, key).read()
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_FOUND:
                return None
            raise
        try:
            return json.loads(body)
        except ValueError as error:
            raise ValueError(f"s3://{bucket}/{key} is not JSON: {error}") from None
