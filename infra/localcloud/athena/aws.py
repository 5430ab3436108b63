"""S3 and the Glue catalog as the caller of a query reaches them: over the endpoint, with the caller's keys.

The requests are recorded under the caller's role, whose policy AWS would check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.s3_uris import split_s3_uri

DOWNLOADS = 4


@dataclass(frozen=True)
class File:
    """One object of a table."""

    bucket: str
    key: str
    size: int


@dataclass(frozen=True)
class Table:
    """A table of the Glue catalog.

    Attributes:
        database: Its database.
        name: Its name.
        columns: The columns without partition keys: name and Hive type.
        partition_keys: The partition keys: name and Hive type.
        description: The table as GetTable answers it.
    """

    database: str
    name: str
    columns: list[tuple[str, str]]
    partition_keys: list[tuple[str, str]]
    description: dict[str, Any]

    @property
    def location(self) -> str:
        """The S3 location; empty for a view."""
        return str(self.description.get("StorageDescriptor", {}).get("Location") or "")


@dataclass(frozen=True)
class Partition:
    """One registered partition: its values and its S3 location."""

    values: tuple[str, ...]
    location: str


def split_location(uri: str) -> tuple[str, str]:
    """Splits a location into bucket and key.

    Raises:
        QueryError: The text is no S3 URI.
    """
    try:
        return split_s3_uri(uri)
    except ValueError as error:
        raise QueryError(f"INVALID_REQUEST: {error}") from None


def split_folder(uri: str) -> tuple[str, str]:
    """Splits the location of a folder into bucket and prefix; a prefix ends with a slash.

    Raises:
        QueryError: The text is no S3 URI.
    """
    bucket, prefix = split_location(uri)
    return bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else ""


class CallerAws:
    """S3 and the Glue catalog with the caller's keys. An error of AWS becomes a :class:`QueryError`.

    Args:
        credentials: The caller's, as ``RoleIdentity.credentials_of`` has them.
    """

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._options = {
            "endpoint_url": credentials["AWS_ENDPOINT_URL"],
            "region_name": credentials["AWS_REGION"],
            "aws_access_key_id": credentials["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
            "aws_session_token": credentials.get("AWS_SESSION_TOKEN"),
        }
        self._config = ClientConfig(
            s3={"addressing_style": "path"}, max_pool_connections=DOWNLOADS * 2, retries={"max_attempts": 2}
        )

    def _client(self, service: str) -> Any:
        make: Any = boto3.session.Session().client  # the stubs know literal names of services only
        return make(service, config=self._config, **self._options)

    @cached_property
    def s3(self) -> Any:
        """The S3 client."""
        return self._client("s3")

    @cached_property
    def glue(self) -> Any:
        """The Glue client."""
        return self._client("glue")

    # --- S3 ----------------------------------------------------------------------------------------------------

    def files(self, location: str) -> list[File]:
        """Lists the objects below a location that have rows; empty and hidden ones (``_…``, ``.…``) have none."""
        bucket, prefix = split_folder(location)
        found = []
        try:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    parts = item["Key"][len(prefix) :].split("/")
                    if item["Size"] and not any(part.startswith(("_", ".")) for part in parts):
                        found.append(File(bucket, item["Key"], item["Size"]))
        except ClientError as error:
            raise QueryError(f"HIVE_METASTORE_ERROR: cannot list {location}: {error}") from None
        return found

    def download(self, pairs: list[tuple[File, Path]], check: Callable[[], None]) -> None:
        """Downloads every file to its path; ``check`` is called before each and may raise."""

        def one(pair: tuple[File, Path]) -> None:
            check()
            pair[1].parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(pair[0].bucket, pair[0].key, str(pair[1]))

        try:
            with ThreadPoolExecutor(DOWNLOADS) as pool:
                list(pool.map(one, pairs))
        except ClientError as error:
            raise QueryError(f"HIVE_CANNOT_OPEN_SPLIT: {error}") from None

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Uploads a file."""
        try:
            with path.open("rb") as body:
                self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        except ClientError as error:
            raise QueryError(f"HIVE_WRITER_CLOSE_ERROR: cannot write s3://{bucket}/{key}: {error}") from None

    def put(self, uri: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Writes an object."""
        bucket, key = split_location(uri)
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        except ClientError as error:
            raise QueryError(f"Access denied or no such bucket when writing the result to {uri}: {error}") from None

    def require_empty(self, location: str) -> None:
        """Checks that there is no object below a location to which a statement will write.

        Raises:
            QueryError: There is one; Athena fails too.
        """
        bucket, prefix = split_folder(location)
        try:
            answer = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except ClientError as error:
            raise QueryError(f"HIVE_METASTORE_ERROR: cannot list {location}: {error}") from None
        if answer.get("KeyCount"):
            raise QueryError(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {location}."
                " Delete it or write elsewhere"
            )

    # --- Glue catalog ------------------------------------------------------------------------------------------

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Calls Glue; an error becomes the query's."""
        try:
            return dict(getattr(self.glue, action)(**arguments))
        except ClientError as error:
            details = error.response["Error"]
            raise QueryError(f"FAILED: {details['Code']}: {details['Message']}") from None

    def table(self, database: str, name: str) -> Table | None:
        """Reads a table; None if there is no such table."""
        try:
            found = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise QueryError(f"HIVE_METASTORE_ERROR: {error}") from None
        columns = [
            (item["Name"], item.get("Type", "string")) for item in found.get("StorageDescriptor", {}).get("Columns", [])
        ]
        keys = [(item["Name"], item.get("Type", "string")) for item in found.get("PartitionKeys", [])]
        return Table(database, name, columns, keys, found)

    def existing_table(self, database: str, name: str) -> Table:
        """Reads a table.

        Raises:
            QueryError: There is no such table.
        """
        found = self.table(database, name)
        if found is None:
            raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return found

    def partitions(self, table: Table) -> list[Partition]:
        """Lists the registered partitions of a table."""
        return [Partition(tuple(item["Values"]), item["StorageDescriptor"]["Location"]) for item in self._pages(table)]

    def add_partition(self, table: Table, values: Sequence[str], location: str) -> None:
        """Registers a partition whose files have the table's format."""
        storage = {**table.description["StorageDescriptor"], "Location": location}
        entry = {"Values": list(values), "StorageDescriptor": storage}
        self.call("create_partition", DatabaseName=table.database, TableName=table.name, PartitionInput=entry)

    def _pages(self, table: Table) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {"DatabaseName": table.database, "TableName": table.name}
        while True:
            page = self.call("get_partitions", **arguments)
            yield from page["Partitions"]
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def databases(self) -> list[str]:
        """Lists the names of all databases."""
        pages = self.glue.get_paginator("get_databases").paginate()
        return sorted(item["Name"] for page in pages for item in page["DatabaseList"])

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Lists the tables of a database as GetTables answers them.

        Raises:
            QueryError: There is no such database.
        """
        try:
            pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
            return sorted((item for page in pages for item in page["TableList"]), key=lambda item: str(item["Name"]))
        except ClientError as error:
            raise QueryError(f"SCHEMA_NOT_FOUND: {error}") from None
