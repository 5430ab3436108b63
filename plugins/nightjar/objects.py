"""Objects in S3: write-once puts, listings, checksums, JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HEAD_THREADS = 8
NOT_FOUND = {"404", "NoSuchKey", "NoSuchVersion", "NotFound"}
EXISTS = {"PreconditionFailed", "ConditionalRequestConflict"}


class StoredObject(NamedTuple):
    """What S3 returns about an object: its SHA-256 checksum (base64), its user metadata, and its size in bytes."""

    sha256: str
    metadata: dict[str, str]
    size: int


class ObjectStoreHook(AwsGenericHook["S3Client"]):
    """Reads and writes objects. Every write has a SHA-256 checksum."""

    def __init__(self, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        config = Config(max_pool_connections=HEAD_THREADS, retries={"mode": "standard", "max_attempts": 5})
        super().__init__(aws_conn_id=aws_conn_id, client_type="s3", config=config, **kwargs)

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object if the key is free; returns False, and changes nothing, if it is taken."""
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
        """Writes the object, or replaces the one that exists."""
        self.conn.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """Returns the user metadata of an object."""
        return self.conn.head_object(Bucket=bucket, Key=key)["Metadata"]

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Returns the object's body as a stream."""
        return cast("IO[bytes]", self.conn.get_object(Bucket=bucket, Key=key)["Body"])

    def open_version(self, bucket: str, key: str, version: str) -> IO[bytes] | None:
        """Returns the body of one version of an object (empty: the current one), or None if it does not exist."""
        named: Any = {"VersionId": version} if version else {}
        try:
            return cast("IO[bytes]", self.conn.get_object(Bucket=bucket, Key=key, **named)["Body"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_FOUND:
                raise
            return None

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        """Iterates over the keys below a prefix, in order; with ``after`` only over those that come after it."""
        start: Any = {"StartAfter": after} if after else {}
        for page in self.conn.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):
            yield from (entry["Key"] for entry in page.get("Contents", ()))

    def size_below(self, bucket: str, prefix: str, pages: int) -> tuple[int, bool]:
        """Returns the bytes of the objects below a prefix, and whether so many pages of 1000 keys listed them all.

        Versions of an object that are not the current one are not listed.
        """
        size = 0
        found = self.conn.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for number, page in enumerate(found, start=1):
            size += sum(entry["Size"] for entry in page.get("Contents", ()))
            if number == pages:
                return size, not page["IsTruncated"]
        return size, True

    def folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """Iterates over the prefixes one level below a prefix, each with its slash at the end, in order."""
        pages = self.conn.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            yield from (entry["Prefix"] for entry in page.get("CommonPrefixes", ()))

    def stored(self, bucket: str, keys: Sequence[str]) -> dict[str, StoredObject]:
        """Returns checksum, metadata and size of each object, in the keys' order.

        Sends one HEAD request per object, eight at a time.

        Raises:
            ValueError: An object has no SHA-256 checksum; the text names it.
        """

        def head(key: str) -> StoredObject:
            answer = self.conn.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            checksum = answer.get("ChecksumSHA256")
            if not checksum:
                raise ValueError(
                    f"s3://{bucket}/{key} has no SHA-256 checksum. Write it again with ChecksumAlgorithm=SHA256."
                )
            return StoredObject(checksum, answer["Metadata"], answer["ContentLength"])

        with ThreadPoolExecutor(HEAD_THREADS) as pool:
            return dict(zip(keys, pool.map(head, keys), strict=True))

    def get_json(self, bucket: str, key: str) -> Any | None:
        """Returns a JSON document, or None if the object does not exist.

        Raises:
            ValueError: The object is not JSON; the text names it.
        """
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
