"""UNLOAD, CREATE TABLE AS and INSERT INTO: writes rows to files, files to S3, and describes the table."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

from infra.localcloud.athena import text_writing
from infra.localcloud.athena.aws import CallerAws, Table, split_folder
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.layouts import Layout, Target
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.sources import format_of, string
from infra.localcloud.athena.statements import Write
from infra.localcloud.athena.storage import HIVE_JSON_SERDE, LAZY_SERDE, PARQUET, PARQUET_SERDE, TEXT
from infra.localcloud.athena.text_files import character
from infra.localcloud.athena.types import duckdb_to_hive

_COMPRESSION = {
    "PARQUET": {"snappy": "snappy", "gzip": "gzip", "zstd": "zstd", "none": "uncompressed"},
    "TEXTFILE": {"gzip": "gzip", "zstd": "zstd", "none": "none"},
    "JSON": {"gzip": "gzip", "zstd": "zstd", "none": "none"},
}
_EXTENSION = {"gzip": ".gz", "zstd": ".zst", "none": ""}
_SHARED = {"format", "partitioned_by", "field_delimiter"}
_KNOWN = {
    "UNLOAD": {*_SHARED, "compression"},
    "CREATE_TABLE_AS_SELECT": {
        *_SHARED,
        "external_location",
        "write_compression",
        "parquet_compression",
        "table_type",
        "is_external",
    },
}
MOST_PARTITIONS = 100


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


def options(write: Write) -> tuple[Layout, list[str]]:
    """Reads the properties of UNLOAD or CREATE TABLE AS.

    Returns:
        The format of the files, and the partition columns in small letters.

    Raises:
        UnsupportedError: A property or format is not honoured here.
        QueryError: Athena has no such compression or format.
    """
    given = write.properties
    if {"bucketed_by", "bucket_count"} & set(given):
        raise UnsupportedError(f"bucketed_by and bucket_count of {write.kind}")
    if unknown := set(given) - _KNOWN[write.kind]:
        raise UnsupportedError(f"the property {', '.join(sorted(unknown))} of {write.kind}")
    if str(given.get("table_type", "HIVE")).upper() != "HIVE":
        raise UnsupportedError(f"tables of type {given['table_type']}")
    if write.kind == "UNLOAD" and "format" not in given:
        raise QueryError("INVALID_PROCEDURE_ARGUMENT: UNLOAD needs the property format")
    wanted = str(given.get("format", "PARQUET")).upper()
    if wanted in ("ORC", "AVRO", "ION"):
        raise UnsupportedError(f"{write.kind} in the format {wanted}", "Write PARQUET, JSON or TEXTFILE.")
    if wanted not in _COMPRESSION:
        raise QueryError(f"INVALID_TABLE_PROPERTY: Unsupported format {wanted}")
    compression = str(
        given.get("compression") or given.get("write_compression") or given.get("parquet_compression") or "GZIP"
    ).lower()
    if compression not in _COMPRESSION[wanted]:
        raise QueryError(
            f"INVALID_TABLE_PROPERTY: Unsupported compression {compression.upper()} for {wanted}:"
            f" use {', '.join(_COMPRESSION[wanted]).upper()}"
        )
    delimiter = str(given.get("field_delimiter", "\x01"))
    if "field_delimiter" in given and (wanted != "TEXTFILE" or len(character(delimiter, "")) != 1):
        raise QueryError("INVALID_TABLE_PROPERTY: field_delimiter must be one character, and the format TEXTFILE")
    partitioned = given.get("partitioned_by", [])
    names = [partitioned] if isinstance(partitioned, str) else partitioned
    layout = Layout(wanted, _COMPRESSION[wanted][compression], character(delimiter, "\x01"))
    return layout, [name.lower() for name in names]


def layout_of(table: Table) -> Layout:
    """Returns the format in which INSERT writes a table's files.

    Raises:
        UnsupportedError: Athena does not insert into such a table, or the local cloud does not.
    """
    storage = table.description["StorageDescriptor"]
    found = format_of(table)
    if int(storage.get("NumberOfBuckets") or 0) > 0:
        raise UnsupportedError(f"INSERT into the bucketed table {table.name}")
    if found == "parquet":
        parameters = {str(k).lower(): str(v).lower() for k, v in table.description.get("Parameters", {}).items()}
        given = parameters.get("parquet.compression") or parameters.get("write.compression") or "gzip"
        return Layout("PARQUET", _COMPRESSION["PARQUET"].get(given, given))
    if found == "json":
        return Layout("JSON")
    if found != "text":
        raise UnsupportedError(f"INSERT into {table.name}", "Athena writes no files of this SerDe.")
    serde = storage.get("SerdeInfo", {}).get("Parameters", {})
    if {"escape.delim", "collection.delim", "mapkey.delim"} & set(serde):
        raise UnsupportedError(f"INSERT into {table.name}, which has an escape or nested delimiters")
    delimiter = serde.get("field.delim") or serde.get("serialization.format")
    null = serde.get("serialization.null.format", "\\N")
    return Layout("TEXTFILE", "gzip", "\x01" if delimiter == "1" else character(delimiter, "\x01"), null)


def check_partitions(columns: list[tuple[str, str]], partitioned: list[str]) -> None:
    """Checks that the query's columns can be written.

    Raises:
        QueryError: A column has no name or no Hive type, or the partition columns are not the last ones in their
            order.
    """
    names = [name.lower() for name, _ in columns]
    for number, name in enumerate(names, start=1):
        if re.fullmatch(r"_col\d+", name):
            raise QueryError(f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {number}")
        if names.count(name) > 1:
            raise QueryError(f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{name}' specified more than once")
    if missing := [name for name in partitioned if name not in names]:
        raise QueryError(f"INVALID_TABLE_PROPERTY: Partition columns not present in schema: [{', '.join(missing)}]")
    if partitioned and (names[-len(partitioned) :] != partitioned or len(partitioned) == len(names)):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as"
            f" the table properties: [{', '.join(partitioned)}]; the query ends with"
            f" [{', '.join(names[-len(partitioned) :])}]"
        )
    for _, kind in columns:
        duckdb_to_hive(kind)


def table_input(
    name: str, columns: list[tuple[str, str]], location: str, layout: Layout, partitioned: list[str]
) -> dict[str, Any]:
    """Describes a written table for Glue's CreateTable; the last columns are the partition keys."""
    hive = [{"Name": column.lower(), "Type": duckdb_to_hive(kind)} for column, kind in columns]
    own = hive[: len(hive) - len(partitioned)]
    parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false"}
    serde: dict[str, str] = {}
    if layout.format == "PARQUET":
        classes, library = PARQUET, PARQUET_SERDE
        parameters["parquet.compression"] = layout.compression.upper()
    else:
        classes, library = TEXT, LAZY_SERDE if layout.format == "TEXTFILE" else HIVE_JSON_SERDE
        parameters["write.compression"] = layout.compression.upper()
    if layout.format == "TEXTFILE":
        serde = {"field.delim": layout.delimiter, "serialization.format": layout.delimiter}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": hive[len(own) :],
        "StorageDescriptor": {
            "Columns": own,
            "Location": location,
            **classes,
            "SerdeInfo": {"SerializationLibrary": library, "Parameters": serde},
        },
    }


def run(
    connection: duckdb.DuckDBPyConnection,
    aws: CallerAws,
    sql: str,
    columns: list[tuple[str, str]],
    target: Target,
    check: Callable[[], None],
) -> Written:
    """Writes the rows of a query to files in S3, with names of the form that Athena gives.

    Args:
        connection: The connection that runs the query.
        aws: S3 with the caller's keys.
        sql: The query as DuckDB text.
        columns: Its columns: name and DuckDB type.
        target: Where to write.
        check: Called before each upload; may raise.

    Raises:
        QueryError: There are more than 100 partitions.
    """
    bucket, prefix = split_folder(target.location)
    target.work.mkdir(parents=True, exist_ok=True)
    out = target.work / "out"
    listed = ", ".join(f"{quoted(name)} AS {quoted(name.lower())}" for name, _ in columns)
    query = f"SELECT {listed} FROM ({sql})"
    count = _parquet(connection, query, target, out) if target.layout.format == "PARQUET" else 0
    if target.layout.format != "PARQUET":
        text_writing.require_layout(columns, target.layout.format)
        own = [(name.lower(), kind) for name, kind in columns]
        count = text_writing.write(connection.execute(query), own, target, out, check)
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    uris: list[str] = []
    partitions: dict[tuple[str, ...], str] = {}
    paths = sorted(path for path in out.rglob("*") if path.is_file()) if count else []
    folders = {path.parent for path in paths}
    if target.partitioned and len(folders) > MOST_PARTITIONS:
        raise QueryError(
            f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets"
        )
    extension = "" if target.layout.format == "PARQUET" else _EXTENSION[target.layout.compression]
    for number, path in enumerate(paths):
        check()
        below = path.relative_to(out).parent.as_posix()
        name = f"{stamp}_{number:05d}_{target.query_id[:5]}_{uuid.uuid4()}{extension}"
        key = f"{prefix}{'' if below == '.' else below + '/'}{name}"
        aws.upload(path, bucket, key)
        uris.append(f"s3://{bucket}/{key}")
        if target.partitioned:
            values = tuple(unquote(part.partition("=")[2]) for part in below.split("/"))
            partitions[values] = f"s3://{bucket}/{prefix}{below}/"
    return Written(f"s3://{bucket}/{prefix}", uris, partitions, count)


def _parquet(connection: duckdb.DuckDBPyConnection, query: str, target: Target, out: Path) -> int:
    layout = (
        f"PARTITION_BY ({', '.join(map(quoted, target.partitioned))}), OVERWRITE_OR_IGNORE"
        if target.partitioned
        else "PER_THREAD_OUTPUT true"
    )
    rows = connection.execute(
        f"COPY ({query}) TO {string(str(out))} (FORMAT parquet, COMPRESSION {target.layout.compression}, {layout})"
    ).fetchone()
    return int(rows[0]) if rows else 0
