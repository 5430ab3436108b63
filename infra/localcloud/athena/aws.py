"""S3 and the Glue catalog as the caller of a query reaches them: over the endpoint, with the caller's keys.

The requests are recorded under the caller's role, whose policy AWS would check.
"""

from __future__ import annotations

import bisect
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.objects import DOWNLOADS, Fetcher, File, ObjectCache
from infra.localcloud.clients import make_client
from infra.localcloud.s3_uris import split_s3_uri

# One listing of a common folder replaces one of each partition while it has at most one page for so many partitions.
PARTITIONS_A_PAGE = 8
# So long a database that the caller may read is not asked for again; a changed policy counts after that.
PERMISSION_SECONDS = 2.0


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
    """One partition.

    Attributes:
        values: Its values as text.
        location: Its S3 location.
        columns: The columns that the catalog has for it: name and Hive type. A projected partition has those of the
            table, and none of its own.
    """

    values: tuple[str, ...]
    location: str
    columns: tuple[tuple[str, str], ...] = ()


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
    """S3 and the Glue catalog with the caller's keys. An error of AWS becomes a :class:`QueryError`."""

    def __init__(self, credentials: Mapping[str, str], cache: ObjectCache | None = None) -> None:
        """Makes no request.

        Args:
            credentials: The caller's, as ``RoleIdentity.credentials_of`` has them.
            cache: Where fetched objects are kept; None for a caller that reads no objects.
        """
        self._cache = cache
        self._readable: dict[str, float] = {}
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
        return make_client(service, config=self._config, **self._options)

    @cached_property
    def s3(self) -> Any:
        """The S3 client."""
        return self._client("s3")

    @cached_property
    def glue(self) -> Any:
        """The Glue client."""
        return self._client("glue")

    @cached_property
    def _fetcher(self) -> Fetcher:
        if self._cache is None:
            raise QueryError("GENERIC_INTERNAL_ERROR: this caller reads no objects")
        return Fetcher(self._options, self._cache)

    # --- permissions -------------------------------------------------------------------------------------------

    def may_locate(self, bucket: str) -> bool:
        """Whether the caller may ask for the location of a bucket, as Athena does before a query."""
        try:
            self.s3.get_bucket_location(Bucket=bucket)
        except ClientError as error:
            return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] != 403)
        return True

    def require_database(self, database: str) -> None:
        """Checks that the caller may read a database of the catalog; one that does not exist passes.

        Raises:
            QueryError: The caller may not.
        """
        now = time.monotonic()
        if now - self._readable.get(database, -PERMISSION_SECONDS) < PERMISSION_SECONDS:
            return
        try:
            self.glue.get_database(Name=database)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise _catalog_error(error) from None
        self._readable[database] = now

    # --- S3 ----------------------------------------------------------------------------------------------------

    def files(self, location: str) -> list[File]:
        """Lists the objects below a location that have rows; empty and hidden ones (``_…``, ``.…``) have none.

        Raises:
            QueryError: The caller may not list them, or there is no such bucket.
        """
        bucket, prefix = split_folder(location)
        return [file for page in self._listed(bucket, prefix) for file in _with_rows(page, prefix)]

    def files_of(self, locations: Sequence[str]) -> list[list[File]]:
        """Lists the objects with rows below each location.

        One listing of the folder that all locations share replaces one of each, unless that folder has many other
        objects or the caller may not list it.

        Raises:
            QueryError: The caller may not list a location, or there is no such bucket.
        """
        shared = _shared_folder(locations)
        if shared is not None:
            found = self._within(shared, len(locations) // PARTITIONS_A_PAGE + 1)
            if found is not None:
                return _by_location(found, locations)
        return [self.files(location) for location in locations]

    def _within(self, folder: tuple[str, str], pages: int) -> list[File] | None:
        """Every object below a folder; None if there are more pages of them, or the caller may not list it."""
        found: list[File] = []
        try:
            for number, page in enumerate(self._listed(*folder)):
                if number == pages:
                    return None
                found += page
        except QueryError:
            return None
        return found

    def _listed(self, bucket: str, prefix: str) -> Iterator[list[File]]:
        try:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield [
                    File(
                        bucket,
                        item["Key"],
                        item["Size"],
                        item.get("ETag", ""),
                        int(item["LastModified"].timestamp() * 1000),
                    )
                    for item in page.get("Contents", [])
                ]
        except ClientError as error:
            raise _listing_error(f"s3://{bucket}/{prefix}", error) from None

    def download(self, pairs: list[tuple[File, Path]], check: Callable[[], None]) -> None:
        """Makes every file readable at its path; ``check`` is called before each and may raise."""
        self._fetcher.fetch(pairs, check)

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
        self.require_database(database)
        try:
            found = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise _catalog_error(error) from None
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

    def partitions(self, table: Table, *, columns: bool = False) -> list[Partition]:
        """Lists the registered partitions of a table, with their own columns on request."""
        found = []
        for item in self._pages(table, columns):
            storage = item["StorageDescriptor"]
            own = tuple((one["Name"], one.get("Type", "string")) for one in storage.get("Columns", []))
            found.append(Partition(tuple(item["Values"]), storage["Location"], own))
        return found

    def add_partition(self, table: Table, values: Sequence[str], location: str) -> None:
        """Registers a partition whose files have the table's format."""
        storage = {**table.description["StorageDescriptor"], "Location": location}
        entry = {"Values": list(values), "StorageDescriptor": storage}
        self.call("create_partition", DatabaseName=table.database, TableName=table.name, PartitionInput=entry)

    def _pages(self, table: Table, columns: bool) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {"DatabaseName": table.database, "TableName": table.name}
        if not columns:
            arguments["ExcludeColumnSchema"] = True
        while True:
            page = self.call("get_partitions", **arguments)
            yield from page["Partitions"]
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def databases(self) -> list[str]:
        """Lists the names of all databases."""
        try:
            pages = list(self.glue.get_paginator("get_databases").paginate())
        except ClientError as error:
            raise QueryError(f"HIVE_METASTORE_ERROR: {error}") from None
        return sorted(item["Name"] for page in pages for item in page["DatabaseList"])

    def has_database(self, name: str) -> bool:
        """Whether there is this database; the caller needs no permission for any other."""
        try:
            self.glue.get_database(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return False
            raise QueryError(f"HIVE_METASTORE_ERROR: {error}") from None
        return True

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Lists the tables of a database as GetTables answers them.

        Raises:
            QueryError: There is no such database, or the caller may not list it.
        """
        try:
            pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
            return sorted((item for page in pages for item in page["TableList"]), key=lambda item: str(item["Name"]))
        except ClientError as error:
            missing = error.response["Error"]["Code"] == "EntityNotFoundException"
            raise QueryError(f"{'SCHEMA_NOT_FOUND' if missing else 'HIVE_METASTORE_ERROR'}: {error}") from None


def _with_rows(files: list[File], prefix: str) -> Iterator[File]:
    for file in files:
        parts = file.key[len(prefix) :].split("/")
        if file.size and not any(part.startswith(("_", ".")) for part in parts):
            yield file


def _shared_folder(locations: Sequence[str]) -> tuple[str, str] | None:
    """Bucket and prefix of the deepest folder that holds several locations; None if that is a whole bucket."""
    folders = [split_folder(location) for location in locations]
    if len(folders) < 2 or len({bucket for bucket, _ in folders}) > 1:
        return None
    prefix = os.path.commonpath([prefix for _, prefix in folders])
    return (folders[0][0], prefix + "/") if prefix else None


def _by_location(files: list[File], locations: Sequence[str]) -> list[list[File]]:
    """Finds the files of each location among sorted files."""
    keys = [file.key for file in files]
    found = []
    for location in locations:
        _, prefix = split_folder(location)
        first = bisect.bisect_left(keys, prefix)
        last = first
        while last < len(keys) and keys[last].startswith(prefix):
            last += 1
        found.append(list(_with_rows(files[first:last], prefix)))
    return found


def _catalog_error(error: ClientError) -> QueryError:
    details = error.response["Error"]
    if details["Code"] != "AccessDeniedException":
        return QueryError(f"HIVE_METASTORE_ERROR: {error}")
    answer = error.response["ResponseMetadata"]
    return QueryError(
        f"{details['Message']} (Service: AmazonDataCatalog; Status Code: {answer['HTTPStatusCode']};"
        f" Error Code: {details['Code']}; Request ID: {answer.get('RequestId', '')}; Proxy: null)"
    )


def _listing_error(location: str, error: ClientError) -> QueryError:
    details = error.response["Error"]
    if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
        return QueryError(
            f"PERMISSION_DENIED: Access Denied when listing {location} (Service: Amazon S3; Status Code: 403;"
            f" Error Code: {details['Code']}): {details.get('Message', '')}"
        )
    return QueryError(f"HIVE_METASTORE_ERROR: cannot list {location}: {error}")
