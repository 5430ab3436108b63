"""S3 and the Glue catalog as the caller of a query reaches them: over the endpoint, with the caller's own keys.

So the requests are recorded under the caller's role, as AWS would check them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from .errors import QueryFailed

DOWNLOADS = 4


@dataclass(frozen=True)
class File:
    """One object of a table."""

    bucket: str
    key: str
    size: int


@dataclass(frozen=True)
class Table:
    """A table of the Glue catalog; ``columns`` and ``partition_keys`` are (name, Hive type)."""

    database: str
    name: str
    columns: list[tuple[str, str]]
    partition_keys: list[tuple[str, str]]
    description: dict[str, Any]

    @property
    def location(self) -> str:
        return str(self.description.get("StorageDescriptor", {}).get("Location") or "")


@dataclass(frozen=True)
class Partition:
    """One registered partition, with a location of its own."""

    values: tuple[str, ...]
    location: str


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key prefix; anything but s3:// fails."""
    parts = urlsplit(uri)
    if parts.scheme not in ("s3", "s3a", "s3n") or not parts.netloc:
        raise QueryFailed(f"INVALID_REQUEST: {uri!r} is not an s3:// location")
    return parts.netloc, parts.path.lstrip("/")


def folder(uri: str) -> tuple[str, str]:
    """Bucket and prefix of a location as a folder: it ends with a slash."""
    bucket, prefix = split_uri(uri)
    return bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else ""


class Aws:
    """Clients with the caller's keys. Not found, denied and the like become :class:`QueryFailed`."""

    def __init__(self, endpoint: str, region: str, access_key: str, token: str | None) -> None:
        self._options = {
            "endpoint_url": endpoint,
            "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": "local",
            "aws_session_token": token,
        }
        self._config = ClientConfig(
            s3={"addressing_style": "path"}, max_pool_connections=DOWNLOADS * 2, retries={"max_attempts": 2}
        )

    def _client(self, service: str) -> Any:
        return boto3.session.Session().client(service, config=self._config, **self._options)

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def glue(self) -> Any:
        return self._client("glue")

    # --- S3 ----------------------------------------------------------------------------------------------------

    def files(self, location: str) -> list[File]:
        """Objects below a location that hold rows: no markers, nothing hidden (``_`` or ``.`` in front)."""
        bucket, prefix = folder(location)
        found = []
        try:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    parts = item["Key"][len(prefix) :].split("/")
                    if item["Size"] and not any(part.startswith(("_", ".")) for part in parts):
                        found.append(File(bucket, item["Key"], item["Size"]))
        except ClientError as error:
            raise QueryFailed(f"HIVE_METASTORE_ERROR: cannot list {location}: {error}") from None
        return found

    def download(self, pairs: list[tuple[File, Path]], check: Any) -> None:
        """Fetches every file to its path; ``check`` is called before each and may raise."""

        def one(pair: tuple[File, Path]) -> None:
            check()
            pair[1].parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(pair[0].bucket, pair[0].key, str(pair[1]))

        try:
            with ThreadPoolExecutor(DOWNLOADS) as pool:
                list(pool.map(one, pairs))
        except ClientError as error:
            raise QueryFailed(f"HIVE_CANNOT_OPEN_SPLIT: {error}") from None

    def upload(self, path: Path, bucket: str, key: str) -> None:
        try:
            with path.open("rb") as body:
                self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        except ClientError as error:
            raise QueryFailed(f"HIVE_WRITER_CLOSE_ERROR: cannot write s3://{bucket}/{key}: {error}") from None

    def put(self, uri: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        bucket, key = split_uri(uri)
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        except ClientError as error:
            raise QueryFailed(f"Access denied or no such bucket when writing the result to {uri}: {error}") from None

    def must_be_empty(self, location: str) -> None:
        """Fails as Athena does when there is anything below a location that is to be written."""
        bucket, prefix = folder(location)
        try:
            answer = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except ClientError as error:
            raise QueryFailed(f"HIVE_METASTORE_ERROR: cannot list {location}: {error}") from None
        if answer.get("KeyCount"):
            raise QueryFailed(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {location}. Delete it or write elsewhere"
            )

    # --- Glue catalog ------------------------------------------------------------------------------------------

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        """One Glue call; an error becomes the query's."""
        try:
            return dict(getattr(self.glue, action)(**arguments))
        except ClientError as error:
            details = error.response["Error"]
            raise QueryFailed(f"FAILED: {details['Code']}: {details['Message']}") from None

    def table(self, database: str, name: str) -> Table | None:
        try:
            found = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise QueryFailed(f"HIVE_METASTORE_ERROR: {error}") from None
        columns = [
            (item["Name"], item.get("Type", "string")) for item in found.get("StorageDescriptor", {}).get("Columns", [])
        ]
        keys = [(item["Name"], item.get("Type", "string")) for item in found.get("PartitionKeys", [])]
        return Table(database, name, columns, keys, found)

    def existing_table(self, database: str, name: str) -> Table:
        found = self.table(database, name)
        if found is None:
            raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return found

    def partitions(self, table: Table) -> list[Partition]:
        return [Partition(tuple(item["Values"]), item["StorageDescriptor"]["Location"]) for item in self._pages(table)]

    def _pages(self, table: Table) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {"DatabaseName": table.database, "TableName": table.name}
        while True:
            page = self.call("get_partitions", **arguments)
            yield from page["Partitions"]
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def databases(self) -> list[str]:
        pages = self.glue.get_paginator("get_databases").paginate()
        return sorted(item["Name"] for page in pages for item in page["DatabaseList"])

    def tables(self, database: str) -> list[dict[str, Any]]:
        try:
            pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
            return sorted((item for page in pages for item in page["TableList"]), key=lambda item: str(item["Name"]))
        except ClientError as error:
            raise QueryFailed(f"SCHEMA_NOT_FOUND: {error}") from None
