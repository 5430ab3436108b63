"""The Glue catalog as publishing uses it: external Parquet tables, and partitions that point at one run's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}

Columns = Sequence[tuple[str, str]]


class CatalogHook(AwsBaseHook):
    """Tables and partitions of one Glue catalog database, which infrastructure owns."""

    def __init__(self, database: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="glue", **kwargs)
        self.database = database

    def ensure_table(self, table: str, columns: Columns, partition_column: tuple[str, str], location: str) -> None:
        """Creates the table, or gives it these columns where it has others. Partitions keep the columns they were made with."""
        wanted = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
            "PartitionKeys": _columns([partition_column]),
            "StorageDescriptor": _storage(columns, location),
        }
        try:
            found = self.conn.get_table(DatabaseName=self.database, Name=table)["Table"]
        except self.conn.exceptions.EntityNotFoundException:
            self.conn.create_table(DatabaseName=self.database, TableInput=wanted)
            return
        if _spelled(found["StorageDescriptor"]["Columns"]) != _spelled(_columns(columns)):
            self.conn.update_table(DatabaseName=self.database, TableInput=wanted)

    def point_partition(
        self, table: str, value: str, columns: Columns, location: str, parameters: Mapping[str, str]
    ) -> None:
        """Makes the partition ``value`` read from ``location``; who made it is in ``parameters``. The same call twice is one."""
        wanted = {"Values": [value], "StorageDescriptor": _storage(columns, location), "Parameters": dict(parameters)}
        try:
            self.conn.create_partition(DatabaseName=self.database, TableName=table, PartitionInput=wanted)
        except self.conn.exceptions.AlreadyExistsException:
            self.conn.update_partition(
                DatabaseName=self.database, TableName=table, PartitionValueList=[value], PartitionInput=wanted
            )


def _storage(columns: Columns, location: str) -> dict[str, Any]:
    return {"Columns": _columns(columns), "Location": location, **PARQUET}


def _columns(columns: Columns) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns]


def _spelled(columns: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in columns]
