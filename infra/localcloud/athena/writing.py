"""UNLOAD, CREATE TABLE AS and INSERT INTO: rows into Parquet files, files into S3, partitions into the catalog."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import duckdb

from .aws import Aws, folder
from .errors import QueryFailed, Refused
from .sources import quoted, string
from .statements import Write
from .types import duckdb_to_hive

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
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {},
    },
}


@dataclass(frozen=True)
class Written:
    """What was put into S3: object URIs, the partitions (values → location) and the number of rows."""

    location: str
    uris: list[str]
    partitions: dict[tuple[str, ...], str]
    rows: int


def options(write: Write) -> tuple[str, list[str]]:
    """Compression and partition columns; a property or format that is not honoured is refused."""
    given = write.properties
    if unknown := set(given) - _KNOWN[write.kind]:
        raise Refused(f"the property {', '.join(sorted(unknown))} of {write.kind}")
    if str(given.get("table_type", "HIVE")).upper() != "HIVE":
        raise Refused(f"tables of type {given['table_type']}")
    wanted = str(given.get("format", "PARQUET")).upper()
    if wanted != "PARQUET" or (write.kind == "UNLOAD" and "format" not in given):
        raise Refused(
            f"{write.kind} in the format {wanted if 'format' in given else '(none given)'}", "Give format = 'PARQUET'."
        )
    compression = str(
        given.get("compression") or given.get("write_compression") or given.get("parquet_compression") or "GZIP"
    ).lower()
    if compression not in _COMPRESSION:
        raise QueryFailed(
            f"INVALID_TABLE_PROPERTY: Unsupported compression {compression.upper()} for PARQUET: "
            f"use {', '.join(_COMPRESSION).upper()}"
        )
    partitioned = given.get("partitioned_by", [])
    return _COMPRESSION[compression], [
        name.lower() for name in ([partitioned] if isinstance(partitioned, str) else partitioned)
    ]


def check_partitions(columns: list[tuple[str, str]], partitioned: list[str]) -> None:
    """Partition columns must be the last of the query, in that order, and not all of it."""
    names = [name.lower() for name, _ in columns]
    if len(set(names)) < len(names) or any(name.startswith("_col") for name in names):
        raise QueryFailed(f"MISSING_COLUMN_NAME: every column needs a name of its own: {', '.join(names)}")
    if partitioned and (names[-len(partitioned) :] != partitioned or len(partitioned) == len(names)):
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as the table "
            f"properties: [{', '.join(partitioned)}]; the query ends with [{', '.join(names[-len(partitioned) :])}]"
        )
    for _, kind in columns:
        duckdb_to_hive(kind)


def run(
    connection: duckdb.DuckDBPyConnection,
    aws: Aws,
    sql: str,
    columns: list[tuple[str, str]],
    *,
    location: str,
    compression: str,
    partitioned: list[str],
    work: Path,
    query_id: str,
    check: object,
) -> Written:
    """Writes the query's rows below ``location``; files are named as Athena names them, after the query."""
    bucket, prefix = folder(location)
    work.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f"{quoted(name)} AS {quoted(name.lower())}" for name, _ in columns)
    partition = (
        f", PARTITION_BY ({', '.join(map(quoted, partitioned))}), OVERWRITE_OR_IGNORE"
        if partitioned
        else ", PER_THREAD_OUTPUT true"
    )
    rows = connection.execute(
        f"COPY (SELECT {listed} FROM ({sql})) TO {string(str(work / 'out'))} "
        f"(FORMAT parquet, COMPRESSION {compression}{partition})"
    ).fetchone()
    count = int(rows[0]) if rows else 0
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    uris: list[str] = []
    values: dict[tuple[str, ...], str] = {}
    for number, path in enumerate(sorted((work / "out").rglob("*.parquet")) if count else []):
        check()  # type: ignore[operator]
        below = path.relative_to(work / "out").parent.as_posix()
        key = f"{prefix}{'' if below == '.' else below + '/'}{stamp}_{number:05d}_{query_id[:5]}_{uuid.uuid4()}"
        aws.upload(path, bucket, key)
        uris.append(f"s3://{bucket}/{key}")
        if partitioned:
            values[tuple(unquote(part.partition("=")[2]) for part in below.split("/"))] = (
                f"s3://{bucket}/{prefix}{below}/"
            )
    return Written(f"s3://{bucket}/{prefix}", uris, values, count)
