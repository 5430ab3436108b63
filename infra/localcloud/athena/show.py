"""SHOW and DESCRIBE on the Glue catalog."""

from __future__ import annotations

import re

from infra.localcloud.athena.aws import CallerAws, Table
from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.statements import name_parts

_WIDTH = 20


def show_partitions(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes SHOW PARTITIONS.

    Raises:
        QueryError: The table has no partition keys.
    """
    table = _table(matched, aws, database)
    if not table.partition_keys:
        raise QueryError(f"FAILED: Execution Error: Table {table.name} is not a partitioned table")
    names = [name for name, _ in table.partition_keys]
    rows = [
        "/".join(f"{name}={value}" for name, value in zip(names, one.values, strict=True))
        for one in aws.partitions(table)
    ]
    return text_result("partition", rows=[[row] for row in sorted(rows)])


def show_tables(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes SHOW TABLES and SHOW VIEWS."""
    wanted = _pattern(matched["like"])
    views = matched["what"].upper() == "VIEWS"
    found = aws.tables((matched["name"] or database).strip('`"').lower())
    names = [str(item["Name"]) for item in found if not views or item.get("TableType") == "VIRTUAL_VIEW"]
    return text_result("views" if views else "tab_name", rows=[[name] for name in names if wanted.fullmatch(name)])


def show_databases(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes SHOW DATABASES."""
    wanted = _pattern(matched["like"])
    return text_result("database_name", rows=[[name] for name in aws.databases() if wanted.fullmatch(name)])


def show_columns(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes SHOW COLUMNS."""
    database = (matched["db"] or database).strip('`"').lower()
    table = aws.existing_table(*name_parts(matched["name"], database))
    names = [name for name, _ in [*table.columns, *table.partition_keys]]
    return text_result("field", rows=[[name.ljust(_WIDTH)] for name in names])


def describe(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes DESCRIBE."""
    table = _table(matched, aws, database)
    rows = [_described(name, kind) for name, kind in [*table.columns, *table.partition_keys]]
    if table.partition_keys:
        empty: list[str | None] = ["", None, None]
        rows += [
            empty,
            ["# Partition Information", None, None],
            ["# col_name".ljust(_WIDTH), "data_type".ljust(_WIDTH), "comment".ljust(_WIDTH)],
            empty,
        ]
        rows += [_described(name, kind) for name, kind in table.partition_keys]
    return text_result("col_name", "data_type", "comment", rows=rows)


def show_create(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes SHOW CREATE TABLE."""
    table = _table(matched, aws, database)
    storage = table.description["StorageDescriptor"]
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *_listed(table.columns)]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *_listed(table.partition_keys)]
    lines += ["ROW FORMAT SERDE ", f"  '{storage.get('SerdeInfo', {}).get('SerializationLibrary', '')}' "]
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  '{storage.get('InputFormat', '')}' ",
        "OUTPUTFORMAT ",
        f"  '{storage.get('OutputFormat', '')}'",
    ]
    lines += ["LOCATION", f"  '{table.location}'"]
    return text_result("createtab_stmt", rows=[[line] for line in lines])


def _table(matched: re.Match[str], aws: CallerAws, database: str) -> Table:
    return aws.existing_table(*name_parts(matched["name"], database))


def _pattern(text: str | None) -> re.Pattern[str]:
    return re.compile(text.replace("*", ".*") if text else ".*", re.IGNORECASE)


def _described(name: str, kind: str) -> list[str | None]:
    return [name.ljust(_WIDTH), kind.ljust(_WIDTH), "".ljust(_WIDTH)]


def _listed(columns: list[tuple[str, str]]) -> list[str]:
    last = len(columns) - 1
    return [f"  `{name}` {kind}{',' if index < last else ')'}" for index, (name, kind) in enumerate(columns)]
