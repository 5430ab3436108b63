"""Tables about tables: ``information_schema`` and ``"table$partitions"``, read from the Glue catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.localcloud.athena import projection
from infra.localcloud.athena.aws import CallerAws
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.hive_types import HiveType, hive_type
from infra.localcloud.athena.types import hive_to_duckdb
from infra.localcloud.athena.views import decode_view

CATALOG = "awsdatacatalog"
SCHEMA = "nj_information_schema"
# Columns (name and DuckDB type) and rows of text.
Found = tuple[list[tuple[str, str]], list[list[str | None]]]
_PLAIN = {"int": "integer", "string": "varchar", "float": "real", "binary": "varbinary", "timestamp": "timestamp(3)"}


def rows(name: tuple[str, str], aws: CallerAws) -> Found | None:
    """Returns the columns and rows of such a table; None for every other table.

    Raises:
        QueryError: ``information_schema`` has no such table, or the table has no partitions.
        UnsupportedError: The metadata is not known here.
    """
    database, table = name
    if database == SCHEMA:
        if table not in _SCHEMA:
            raise QueryError(f"TABLE_NOT_FOUND: Table '{CATALOG}.information_schema.{table}' does not exist")
        columns, make = _SCHEMA[table]
        return [(column, kind) for column, kind in columns], make(aws)
    if table.endswith("$partitions"):
        return _partitions(database, table.removesuffix("$partitions"), aws)
    if "$" in table:
        raise UnsupportedError(f'the metadata table "{table}"')
    return None


def trino_type(hive: HiveType) -> str:
    """Writes a Hive type as Trino names it."""
    if hive.name == "array":
        return f"array({trino_type(hive.children[0])})"
    if hive.name == "map":
        return f"map({trino_type(hive.children[0])}, {trino_type(hive.children[1])})"
    if hive.name == "struct":
        pairs = zip(hive.fields, hive.children, strict=True)
        return f"row({', '.join(f'{name} {trino_type(kind)}' for name, kind in pairs)})"
    numbers = f"({','.join(map(str, hive.numbers))})" if hive.numbers else ""
    return _PLAIN.get(hive.name, hive.name) + numbers


def _partitions(database: str, name: str, aws: CallerAws) -> Found | None:
    table = aws.existing_table(database, name)
    if not table.partition_keys:
        raise QueryError(f"TABLE_NOT_FOUND: Table '{CATALOG}.{database}.{name}$partitions' does not exist")
    if projection.is_projected(table):
        raise UnsupportedError(f'"{name}$partitions" of a table with partition projection')
    columns = [(key.lower(), hive_to_duckdb(hive)) for key, hive in table.partition_keys]
    null = "__HIVE_DEFAULT_PARTITION__"
    return columns, [[None if v == null else v for v in one.values] for one in aws.partitions(table)]


# --- information_schema -------------------------------------------------------------------------------------------


def _schemata(aws: CallerAws) -> list[list[str | None]]:
    return [[CATALOG, name] for name in [*aws.databases(), "information_schema"]]


def _all_tables(aws: CallerAws) -> list[tuple[str, dict[str, Any]]]:
    return [(database, table) for database in aws.databases() for table in aws.tables(database)]


def _is_view(table: dict[str, Any]) -> bool:
    return table.get("TableType") == "VIRTUAL_VIEW"


def _tables(aws: CallerAws) -> list[list[str | None]]:
    return [
        [CATALOG, database, table["Name"], "VIEW" if _is_view(table) else "BASE TABLE"]
        for database, table in _all_tables(aws)
    ]


def _columns(aws: CallerAws) -> list[list[str | None]]:
    found: list[list[str | None]] = []
    for database, table in _all_tables(aws):
        keys = table.get("PartitionKeys", [])
        listed = [*table.get("StorageDescriptor", {}).get("Columns", []), *keys]
        for number, column in enumerate(listed, start=1):
            kind = trino_type(hive_type(column.get("Type", "string")))
            extra = "partition key" if column in keys else None
            found.append(
                [
                    CATALOG,
                    database,
                    table["Name"],
                    column["Name"].lower(),
                    str(number),
                    None,
                    "YES",
                    kind,
                    column.get("Comment"),
                    extra,
                ]
            )
    return found


def _views(aws: CallerAws) -> list[list[str | None]]:
    return [
        [CATALOG, database, table["Name"], decode_view(database, table)["originalSql"]]
        for database, table in _all_tables(aws)
        if _is_view(table)
    ]


_NAMES = [("table_catalog", "VARCHAR"), ("table_schema", "VARCHAR"), ("table_name", "VARCHAR")]
_SCHEMA: dict[str, tuple[list[tuple[str, str]], Callable[[CallerAws], list[list[str | None]]]]] = {
    "schemata": ([("catalog_name", "VARCHAR"), ("schema_name", "VARCHAR")], _schemata),
    "tables": ([*_NAMES, ("table_type", "VARCHAR")], _tables),
    "columns": (
        [
            *_NAMES,
            ("column_name", "VARCHAR"),
            ("ordinal_position", "BIGINT"),
            ("column_default", "VARCHAR"),
            ("is_nullable", "VARCHAR"),
            ("data_type", "VARCHAR"),
            ("comment", "VARCHAR"),
            ("extra_info", "VARCHAR"),
        ],
        _columns,
    ),
    "views": ([*_NAMES, ("view_definition", "VARCHAR")], _views),
}
