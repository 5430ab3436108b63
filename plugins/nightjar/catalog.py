"""The Glue catalog: external Parquet tables, and partitions with locations of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import (
        ColumnOutputTypeDef,
        ColumnTypeDef,
        PartitionInputTypeDef,
        StorageDescriptorTypeDef,
        TableInputTypeDef,
    )

PARQUET: StorageDescriptorTypeDef = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}

Columns = Sequence[tuple[str, str]]


class CatalogHook(AwsGenericHook["GlueClient"]):
    """Tables and partitions of one Glue catalog database. The database itself must exist."""

    def __init__(self, database: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="glue", **kwargs)
        self.database = database

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """Returns name and type of each column of a table without the partition's, or None if there is no table."""
        try:
            found = self.conn.get_table(DatabaseName=self.database, Name=table)["Table"]
        except self.conn.exceptions.EntityNotFoundException:
            return None
        return _names_and_types(found["StorageDescriptor"]["Columns"])

    def locations(self, table: str) -> Iterator[str]:
        """Iterates over the URIs of a table's partitions; none if there is no table."""
        pages = self.conn.get_paginator("get_partitions").paginate(DatabaseName=self.database, TableName=table)
        try:
            for page in pages:
                yield from (entry["StorageDescriptor"]["Location"] for entry in page["Partitions"])
        except self.conn.exceptions.EntityNotFoundException:
            return

    def ensure_table(self, table: str, columns: Columns, partition_column: tuple[str, str], location: str) -> None:
        """Creates the table, or updates it if its columns differ. Existing partitions keep their columns."""
        wanted: TableInputTypeDef = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
            "PartitionKeys": _columns([partition_column]),
            "StorageDescriptor": _storage(columns, location),
        }
        found = self.columns(table)
        if found is None:
            self.conn.create_table(DatabaseName=self.database, TableInput=wanted)
        elif found != list(columns):
            self.conn.update_table(DatabaseName=self.database, TableInput=wanted)

    def point_partition(
        self, table: str, value: str, columns: Columns, location: str, parameters: Mapping[str, str]
    ) -> None:
        """Creates the partition ``value`` or changes where it reads from. Repeating the call changes nothing.

        Args:
            table: The table's name.
            value: The partition column's value.
            columns: (name, type) of each column in the files.
            location: URI of the files.
            parameters: Kept with the partition.
        """
        wanted: PartitionInputTypeDef = {
            "Values": [value],
            "StorageDescriptor": _storage(columns, location),
            "Parameters": dict(parameters),
        }
        try:
            self.conn.create_partition(DatabaseName=self.database, TableName=table, PartitionInput=wanted)
        except self.conn.exceptions.AlreadyExistsException:
            self.conn.update_partition(
                DatabaseName=self.database, TableName=table, PartitionValueList=[value], PartitionInput=wanted
            )


def _storage(columns: Columns, location: str) -> StorageDescriptorTypeDef:
    return {"Columns": _columns(columns), "Location": location, **PARQUET}


def _columns(columns: Columns) -> list[ColumnTypeDef]:
    return [{"Name": name, "Type": kind} for name, kind in columns]


def _names_and_types(columns: Sequence[ColumnTypeDef | ColumnOutputTypeDef]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in columns]
