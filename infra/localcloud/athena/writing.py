"""UNLOAD, CREATE TABLE AS and INSERT INTO: writes rows to Parquet files, files to S3, and describes the table."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

from infra.localcloud.athena.aws import CallerAws, split_folder
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.sources import string
from infra.localcloud.athena.statements import Write
from infra.localcloud.athena.translator.types import duckdb_to_hive

_COMPRESSION = {"snappy": "snappy", "gzip": "gzip", "zstd": "zstd", "none": "uncompressed"}
_KNOWN = {
    "UNLOAD": {"format", "compression", "partitioned_by", "compression_level"},
    "CREATE_TABLE_AS_SELECT": {
        "format",
        "external_location",
        "partitioned_by",
        "write_compression",
        "parquet_compression",
        "table_type",
        "is_external",
    },
    "INSERT": {"format", "write_compression", "partitioned_by"},
}
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
PARQUET: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {}},
}


@dataclass(frozen=True)
class Target:
    """Where rows are written, and how.

    Attributes:
        location: The S3 folder.
        compression: DuckDB's name of the compression.
        partitioned: The partition columns in small letters.
        work: A local folder for the files before they are uploaded.
        query_id: The query's id; the names of the files have a part of it.
    """

    location: str
    compression: str
    partitioned: list[str]
    work: Path
    query_id: str


@dataclass(frozen=True)
class Written:
    """What was written to S3.

    Attributes:
        location: The S3 folder.
        uris: The URIs of the objects.
        partitions: The location of each partition by its values.
        rows: The number of rows.
    """

    location: str
    uris: list[str]
    partitions: dict[tuple[str, ...], str]
    rows: int


def options(write: Write) -> tuple[str, list[str]]:
    """Reads the properties of a statement that writes.

    Returns:
        DuckDB's name of the compression, and the partition columns in small letters.

    Raises:
        UnsupportedError: A property or format is not honoured here.
        QueryError: Athena has no such compression.
    """
    given = write.properties
    if unknown := set(given) - _KNOWN[write.kind]:
        raise UnsupportedError(f"the property {', '.join(sorted(unknown))} of {write.kind}")
    if str(given.get("table_type", "HIVE")).upper() != "HIVE":
        raise UnsupportedError(f"tables of type {given['table_type']}")
    wanted = str(given.get("format", "PARQUET")).upper()
    if wanted != "PARQUET" or (write.kind == "UNLOAD" and "format" not in given):
        raise UnsupportedError(
            f"{write.kind} in the format {wanted if 'format' in given else '(none given)'}", "Give format = 'PARQUET'."
        )
    compression = str(
        given.get("compression") or given.get("write_compression") or given.get("parquet_compression") or "GZIP"
    ).lower()
    if compression not in _COMPRESSION:
        raise QueryError(
            f"INVALID_TABLE_PROPERTY: Unsupported compression {compression.upper()} for PARQUET: "
            f"use {', '.join(_COMPRESSION).upper()}"
        )
    partitioned = given.get("partitioned_by", [])
    names = [partitioned] if isinstance(partitioned, str) else partitioned
    return _COMPRESSION[compression], [name.lower() for name in names]


def check_partitions(columns: list[tuple[str, str]], partitioned: list[str]) -> None:
    """Checks that the query's columns can be written.

    Raises:
        QueryError: A column has no name or no Hive type, or the partition columns are not the last ones in their
            order.
    """
    names = [name.lower() for name, _ in columns]
    if len(set(names)) < len(names) or any(name.startswith("_col") for name in names):
        raise QueryError(f"MISSING_COLUMN_NAME: every column needs a name of its own: {', '.join(names)}")
    if partitioned and (names[-len(partitioned) :] != partitioned or len(partitioned) == len(names)):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as"
            f" the table properties: [{', '.join(partitioned)}]; the query ends with"
            f" [{', '.join(names[-len(partitioned) :])}]"
        )
    for _, kind in columns:
        duckdb_to_hive(kind)


def table_input(
    name: str, columns: list[tuple[str, str]], location: str, compression: str, partitioned: list[str]
) -> dict[str, Any]:
    """Describes a written table for Glue's CreateTable; the last columns are the partition keys."""
    hive = [{"Name": column.lower(), "Type": duckdb_to_hive(kind)} for column, kind in columns]
    own = hive[: len(hive) - len(partitioned)]
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "has_encrypted_data": "false",
            "parquet.compression": compression.upper(),
        },
        "PartitionKeys": hive[len(own) :],
        "StorageDescriptor": {"Columns": own, "Location": location, **PARQUET},
    }


def run(
    connection: duckdb.DuckDBPyConnection,
    aws: CallerAws,
    sql: str,
    columns: list[tuple[str, str]],
    target: Target,
    check: Callable[[], None],
) -> Written:
    """Writes the rows of a query as Parquet files, with names of the form that Athena gives.

    Args:
        connection: The connection that runs the query.
        aws: S3 with the caller's keys.
        sql: The query as DuckDB text.
        columns: Its columns: name and DuckDB type.
        target: Where to write.
        check: Called before each upload; may raise.
    """
    bucket, prefix = split_folder(target.location)
    target.work.mkdir(parents=True, exist_ok=True)
    out = target.work / "out"
    listed = ", ".join(f"{quoted(name)} AS {quoted(name.lower())}" for name, _ in columns)
    layout = (
        f"PARTITION_BY ({', '.join(map(quoted, target.partitioned))}), OVERWRITE_OR_IGNORE"
        if target.partitioned
        else "PER_THREAD_OUTPUT true"
    )
    rows = connection.execute(
        f"COPY (SELECT {listed} FROM ({sql})) TO {string(str(out))} "
        f"(FORMAT parquet, COMPRESSION {target.compression}, {layout})"
    ).fetchone()
    count = int(rows[0]) if rows else 0
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    uris: list[str] = []
    partitions: dict[tuple[str, ...], str] = {}
    for number, path in enumerate(sorted(out.rglob("*.parquet")) if count else []):
        check()
        below = path.relative_to(out).parent.as_posix()
        key = f"{prefix}{'' if below == '.' else below + '/'}{stamp}_{number:05d}_{target.query_id[:5]}_{uuid.uuid4()}"
        aws.upload(path, bucket, key)
        uris.append(f"s3://{bucket}/{key}")
        if target.partitioned:
            values = tuple(unquote(part.partition("=")[2]) for part in below.split("/"))
            partitions[values] = f"s3://{bucket}/{prefix}{below}/"
    return Written(f"s3://{bucket}/{prefix}", uris, partitions, count)
