"""Tables of the Glue Data Catalog: where their data is, in which format, and with which partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

from .missing import NotAvailableError

_SERDES = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": "parquet",
    "org.apache.hadoop.hive.ql.io.orc.OrcSerde": "orc",
    "org.openx.data.jsonserde.JsonSerDe": "json",
    "org.apache.hive.hcatalog.data.JsonSerDe": "json",
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe": "csv",
    "org.apache.hadoop.hive.serde2.OpenCSVSerde": "csv",
}


@dataclass(frozen=True)
class Table:
    """A table of the catalog."""

    database: str
    name: str
    location: str
    format: str
    columns: list[dict[str, Any]]
    partition_keys: list[dict[str, Any]]
    serde: dict[str, str]
    parameters: dict[str, str]

    @property
    def csv_options(self) -> dict[str, Any]:
        """Separator, quote and header as the options of a CSV reader."""
        return {
            "sep": self.serde.get("field.delim") or self.serde.get("separatorChar") or ",",
            "quote": self.serde.get("quoteChar") or '"',
            "header": self.parameters.get("skip.header.line.count", "0") != "0",
        }


def find(database: str, name: str) -> Table:
    """The table.

    Raises:
        NotAvailableError: Its data is not on S3 in a format that Spark reads.
    """
    found: dict[str, Any] = dict(boto3.client("glue").get_table(DatabaseName=database, Name=name)["Table"])
    storage = found.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary"))
    if library not in _SERDES or not str(storage.get("Location", "")).startswith("s3"):
        raise NotAvailableError(f"The table {database}.{name} ({library})", "spark.read with the format of its data")
    return Table(
        database,
        name,
        storage["Location"].rstrip("/") + "/",
        _SERDES[library],
        storage.get("Columns") or [],
        found.get("PartitionKeys") or [],
        serde.get("Parameters") or {},
        found.get("Parameters") or {},
    )


def read(spark: SparkSession, table: Table, predicate: str) -> DataFrame:
    """The table's rows.

    Args:
        spark: The session.
        table: A table of the catalog.
        predicate: A condition on the partition columns, or empty.

    Raises:
        NotAvailableError: A partition lies elsewhere than its name says.
    """
    reader = spark.read.option("basePath", table.location)
    if table.format in ("csv", "json"):
        partitions = [(key["Name"], "string") for key in table.partition_keys]
        columns = [(column["Name"], column["Type"]) for column in table.columns] + partitions
        reader = reader.schema(", ".join(f"`{name}` {kind}" for name, kind in columns))
    if table.format == "csv":
        reader = reader.options(**table.csv_options)
    paths = _partition_paths(table) if table.partition_keys else [table.location]
    if not paths:
        columns = [*table.columns, *table.partition_keys]
        return spark.createDataFrame([], ", ".join(f"`{column['Name']}` {column['Type']}" for column in columns))
    frame = reader.format(table.format).load(paths)
    for key in table.partition_keys:
        frame = frame.withColumn(key["Name"], F.col(f"`{key['Name']}`").cast(key["Type"]))
    return frame.filter(predicate) if predicate else frame


def _partition_paths(table: Table) -> list[str]:
    paths = []
    pages = (
        boto3.client("glue").get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
    )
    for partition in (found for page in pages for found in page["Partitions"]):
        names = zip(table.partition_keys, partition["Values"], strict=True)
        expected = table.location + "/".join(f"{key['Name']}={value}" for key, value in names)
        location = partition["StorageDescriptor"]["Location"].rstrip("/")
        if location != expected:
            raise NotAvailableError(
                f"The partition at {location}, which its values do not name", "spark.read of its path"
            )
        paths.append(location)
    return paths
