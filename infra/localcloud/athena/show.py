"""SHOW and DESCRIBE: answers from the Glue catalog, laid out as Athena does."""

from __future__ import annotations

import re
from typing import Any

from infra.localcloud.athena import projection
from infra.localcloud.athena.aws import CallerAws, Table
from infra.localcloud.athena.ddl_tokens import Tokens
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.sources import partition_name
from infra.localcloud.athena.statements import name_parts
from infra.localcloud.athena.views import decode_view

_WIDTH = 20


def view_name(tokens: Tokens, database: str) -> tuple[str, str]:
    """Takes the name of a view, which Trino quotes with double quotes.

    Raises:
        QueryError: Something else is next.
    """
    parts = []
    while True:
        token = tokens.peek()
        parts.append(tokens.take().value if token.kind == "string" else tokens.identifier())
        if not tokens.sign("."):
            return name_parts(".".join(f'"{part}"' for part in parts), database)


def _table(tokens: Tokens, aws: CallerAws, database: str) -> Table:
    database, name = tokens.table(database)
    found = aws.table(database, name)
    if found is None:
        raise QueryError(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
    return found


def _database(tokens: Tokens, database: str) -> str:
    return tokens.identifier() if tokens.words("IN") or tokens.words("FROM") else database


def _tables_of(aws: CallerAws, database: str) -> list[dict[str, Any]]:
    if database not in aws.databases():
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}")
    return aws.tables(database)


def _pattern(tokens: Tokens) -> re.Pattern[str]:
    """Takes a pattern: ``*`` is any text, ``|`` is or; in TABLES and DATABASES it is a regular expression."""
    tokens.words("LIKE")
    text = tokens.string() if tokens.peek().kind == "string" else "*"
    tokens.end()
    return re.compile(re.sub(r"(?<!\.)\*", ".*", text), re.IGNORECASE)


def show_partitions(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW PARTITIONS."""
    table = _table(tokens, aws, database)
    tokens.end()
    if not table.partition_keys:
        raise QueryError(f"FAILED: SemanticException [Error 10241]: Table {table.name} is not a partitioned table")
    if projection.is_projected(table):
        raise UnsupportedError("SHOW PARTITIONS of a table with partition projection")
    names = [partition_name(table, one) for one in aws.partitions(table)]
    return text_result("partition", rows=[[name] for name in sorted(names)])


def show_tables(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW TABLES; views are among them."""
    found = _tables_of(aws, _database(tokens, database))
    wanted = _pattern(tokens)
    return text_result("tab_name", rows=[[one["Name"]] for one in found if wanted.fullmatch(one["Name"])])


def show_views(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW VIEWS."""
    found = _tables_of(aws, _database(tokens, database))
    wanted = _pattern(tokens)
    names = [one["Name"] for one in found if one.get("TableType") == "VIRTUAL_VIEW"]
    return text_result("views", rows=[[name] for name in names if wanted.fullmatch(name)])


def show_databases(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW DATABASES."""
    wanted = _pattern(tokens)
    return text_result("database_name", rows=[[name] for name in aws.databases() if wanted.fullmatch(name)])


def show_columns(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW COLUMNS."""
    if not tokens.words("IN") and not tokens.words("FROM"):
        raise tokens.error()
    parts = tokens.table(database)
    parts = (_database(tokens, parts[0]), parts[1])
    tokens.end()
    table = aws.existing_table(*parts)
    names = [name for name, _ in [*table.columns, *table.partition_keys]]
    return text_result("field", rows=[[name.ljust(_WIDTH)] for name in names])


def show_properties(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW TBLPROPERTIES."""
    table = _table(tokens, aws, database)
    given = {str(name): str(value) for name, value in table.description.get("Parameters", {}).items()}
    if tokens.sign("("):
        name = tokens.string()
        tokens.expect_sign(")")
        tokens.end()
        missing = f"Table {table.database}.{table.name} does not have property: {name}"
        return text_result("prpt_name", "prpt_value", rows=[[given.get(name, missing), None]])
    tokens.end()
    return text_result("prpt_name", "prpt_value", rows=[[name, value] for name, value in sorted(given.items())])


# --- DESCRIBE -----------------------------------------------------------------------------------------------------


def describe(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes DESCRIBE of a table, or of one of its columns."""
    if tokens.words("EXTENDED") or tokens.words("FORMATTED"):
        raise UnsupportedError("DESCRIBE EXTENDED or FORMATTED", "Write DESCRIBE or SHOW CREATE TABLE.")
    table = _table(tokens, aws, database)
    if tokens.words("PARTITION"):
        raise UnsupportedError("DESCRIBE … PARTITION")
    if table.description.get("TableType") == "VIRTUAL_VIEW":
        return _view_columns(table)
    comments = _comments(table)
    listed = [*table.columns, *table.partition_keys]
    if tokens.peek().kind != "end":
        wanted = tokens.identifier()
        tokens.end()
        found = [(name, kind) for name, kind in listed if name.lower() == wanted]
        if not found:
            raise QueryError(f"FAILED: SemanticException [Error 10004]: Invalid column reference {wanted}")
        return text_result("col_name", "data_type", "comment", rows=[_described(*found[0], comments)])
    rows = [_described(name, kind, comments) for name, kind in listed]
    if table.partition_keys:
        empty: list[str | None] = ["", None, None]
        rows += [
            empty,
            ["# Partition Information", None, None],
            ["# col_name".ljust(_WIDTH), "data_type".ljust(_WIDTH), "comment".ljust(_WIDTH)],
            empty,
        ]
        rows += [_described(name, kind, comments) for name, kind in table.partition_keys]
    return text_result("col_name", "data_type", "comment", rows=rows)


def describe_view(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes DESCRIBE VIEW."""
    return _view_columns(_existing_view(tokens, aws, database))


def _view_columns(table: Table) -> Result:
    rows = [[name.ljust(_WIDTH), kind.ljust(_WIDTH), "".ljust(_WIDTH)] for name, kind in table.columns]
    return text_result("col_name", "data_type", "comment", rows=rows)


def _comments(table: Table) -> dict[str, str]:
    described = table.description
    listed = [*described.get("StorageDescriptor", {}).get("Columns", []), *described.get("PartitionKeys", [])]
    return {item["Name"]: item["Comment"] for item in listed if item.get("Comment")}


def _described(name: str, kind: str, comments: dict[str, str]) -> list[str | None]:
    return [name.ljust(_WIDTH), kind.ljust(_WIDTH), comments.get(name, "").ljust(_WIDTH)]


# --- SHOW CREATE --------------------------------------------------------------------------------------------------


def show_create(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW CREATE TABLE."""
    table = _table(tokens, aws, database)
    tokens.end()
    if table.description.get("TableType") == "VIRTUAL_VIEW":
        return _create_view(table)
    storage = table.description["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {})
    comments = _comments(table)
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *_listed(table.columns, comments)]
    parameters = {
        name: value
        for name, value in table.description.get("Parameters", {}).items()
        if name not in ("EXTERNAL", "comment")
    }
    if comment := table.description.get("Parameters", {}).get("comment"):
        lines += [f"COMMENT '{comment}'"]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *_listed(table.partition_keys, comments)]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_properties(serde["Parameters"])]
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  '{storage.get('InputFormat', '')}' ",
        "OUTPUTFORMAT ",
        f"  '{storage.get('OutputFormat', '')}'",
    ]
    lines += ["LOCATION", f"  '{table.location}'"]
    if parameters:
        lines += ["TBLPROPERTIES (", *_properties(parameters)]
    return text_result("createtab_stmt", rows=[[line] for line in lines])


def show_create_view(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Executes SHOW CREATE VIEW."""
    return _create_view(_existing_view(tokens, aws, database))


def _create_view(table: Table) -> Result:
    sql = decode_view(table.database, table.description)["originalSql"]
    lines = [f"CREATE VIEW {table.database}.{table.name} AS", *str(sql).splitlines()]
    return text_result("Create View", rows=[[line] for line in lines])


def _existing_view(tokens: Tokens, aws: CallerAws, database: str) -> Table:
    database, name = view_name(tokens, database)
    tokens.end()
    found = aws.table(database, name)
    if found is None or found.description.get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(f"SYNTAX_ERROR: View 'awsdatacatalog.{database}.{name}' does not exist")
    return found


def _listed(columns: list[tuple[str, str]], comments: dict[str, str]) -> list[str]:
    last = len(columns) - 1
    lines = []
    for index, (name, kind) in enumerate(columns):
        comment = f" COMMENT '{comments[name]}'" if name in comments else ""
        lines.append(f"  `{name}` {kind}{comment}{', ' if index < last else ')'}")
    return lines


def _properties(given: dict[str, str]) -> list[str]:
    pairs = sorted(given.items())
    written = {"\t": "\\t", "\n": "\\n", "\x01": "\\u0001"}
    return [
        f"  '{name}'='{written.get(str(value), value)}'{', ' if index < len(pairs) - 1 else ')'}"
        for index, (name, value) in enumerate(pairs)
    ]
