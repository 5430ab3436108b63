"""Executes Hive's statements on the Glue catalog. CREATE TABLE, ALTER TABLE, SHOW and DESCRIBE are in other modules."""

from __future__ import annotations

import re
from urllib.parse import unquote

from infra.localcloud.athena import alter_table, show
from infra.localcloud.athena.aws import CallerAws, split_folder
from infra.localcloud.athena.create_table import create_table, table_location
from infra.localcloud.athena.ddl_tokens import Tokens
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result

# Words with which a statement of Athena may begin: one of them is refused, any other word is a syntax error.
_WORDS = {"ANALYZE", "CALL", "DELETE", "GRANT", "MERGE", "OPTIMIZE", "REVOKE", "UPDATE", "VACUUM", "USE", "SET"}
_ROWS = {"DELETE", "MERGE", "UPDATE"}
_ICEBERG = {"OPTIMIZE", "VACUUM"}


def run(sql: str, aws: CallerAws, database: str) -> Result:
    """Executes one statement.

    Args:
        sql: The statement.
        aws: The catalog with the caller's keys.
        database: The database of names without one.

    Raises:
        QueryError: The statement is wrong.
        UnsupportedError: Athena may execute it, the local cloud cannot.
    """
    tokens = Tokens(sql)
    for words, action in _STATEMENTS:
        if tokens.words(*words):
            return action(tokens, aws, database)
    word = tokens.peek().text.upper()
    if word in _ROWS:
        raise QueryError("NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables")
    if word in _ICEBERG:
        raise QueryError(f"NOT_SUPPORTED: {word} is only supported for Iceberg tables")
    if word in _WORDS or word in {words[0] for words, _ in _STATEMENTS}:
        raise UnsupportedError("the statement " + " ".join(sql.split()[:4]) + " …")
    raise QueryError(f"SYNTAX_ERROR: line 1:1: mismatched input '{tokens.peek().text}'")


def _create_database(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    unless = tokens.words("IF", "NOT", "EXISTS")
    name = tokens.identifier()
    entry: dict[str, object] = {"Name": name}
    if tokens.words("COMMENT"):
        entry["Description"] = tokens.string()
    if tokens.words("LOCATION"):
        entry["LocationUri"] = table_location(tokens.string())
    if tokens.words("WITH", "DBPROPERTIES"):
        entry["Parameters"] = tokens.properties()
    tokens.end()
    if name in aws.databases():
        if unless:
            return text_result()
        raise QueryError(f"FAILED: Execution Error, return code 1. Database {name} already exists")
    aws.call("create_database", DatabaseInput=entry)
    return text_result()


def _drop_database(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    unless = tokens.words("IF", "EXISTS")
    name = tokens.identifier()
    cascade = tokens.words("CASCADE") or (tokens.words("RESTRICT") and False)
    tokens.end()
    if name not in aws.databases():
        if unless:
            return text_result()
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
    if aws.tables(name) and not cascade:
        raise QueryError(
            f"FAILED: InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
        )
    aws.call("delete_database", Name=name)
    return text_result()


def _drop_table(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    unless = tokens.words("IF", "EXISTS")
    database, name = tokens.table(database)
    tokens.words("PURGE")
    tokens.end()
    found = aws.table(database, name)
    if found is None:
        if unless:
            return text_result()
        raise QueryError(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
    if found.description.get("TableType") == "VIRTUAL_VIEW":
        raise QueryError("FAILED: SemanticException [Error 10133]: Cannot drop a view with DROP TABLE")
    aws.call("delete_table", DatabaseName=database, Name=name)
    return text_result()


def _drop_view(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    unless = tokens.words("IF", "EXISTS")
    database, name = show.view_name(tokens, database)
    tokens.end()
    found = aws.table(database, name)
    if found is None:
        if unless:
            return text_result()
        raise QueryError(f"SYNTAX_ERROR: View 'awsdatacatalog.{database}.{name}' does not exist")
    if found.description.get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(f"SYNTAX_ERROR: 'awsdatacatalog.{database}.{name}' is a table, not a view. Write DROP TABLE")
    aws.call("delete_table", DatabaseName=database, Name=name)
    return text_result()


def _repair(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    """Registers the partitions whose folders below the table's location have names of the form key=value."""
    table = aws.existing_table(*tokens.table(database))
    tokens.end()
    existing = {partition.values for partition in aws.partitions(table)}
    bucket, prefix = split_folder(table.location)
    pattern = re.compile("".join(f"{re.escape(name)}=([^/]+)/" for name, _ in table.partition_keys), re.IGNORECASE)
    found: dict[tuple[str, ...], str] = {}
    for file in aws.files(table.location):
        if table.partition_keys and (match := pattern.match(file.key[len(prefix) :])):
            found[tuple(map(unquote, match.groups()))] = f"s3://{bucket}/{prefix}{match[0]}"
    rows = []
    for values, location in sorted(found.items()):
        if values not in existing:
            aws.add_partition(table, values, location)
            rows.append([f"Repair: Added partition to metastore {table.name}:{'/'.join(values)}"])
    return text_result("result", rows=rows)


def _create_external(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    return create_table(tokens, aws, database, external=True)


def _create_plain(tokens: Tokens, aws: CallerAws, database: str) -> Result:
    return create_table(tokens, aws, database, external=False)


_STATEMENTS = [
    (("CREATE", "DATABASE"), _create_database),
    (("CREATE", "SCHEMA"), _create_database),
    (("DROP", "DATABASE"), _drop_database),
    (("DROP", "SCHEMA"), _drop_database),
    (("CREATE", "EXTERNAL", "TABLE"), _create_external),
    (("CREATE", "TABLE"), _create_plain),
    (("DROP", "TABLE"), _drop_table),
    (("DROP", "VIEW"), _drop_view),
    (("ALTER", "TABLE"), alter_table.alter_table),
    (("MSCK", "REPAIR", "TABLE"), _repair),
    (("SHOW", "PARTITIONS"), show.show_partitions),
    (("SHOW", "TABLES"), show.show_tables),
    (("SHOW", "VIEWS"), show.show_views),
    (("SHOW", "DATABASES"), show.show_databases),
    (("SHOW", "SCHEMAS"), show.show_databases),
    (("SHOW", "COLUMNS"), show.show_columns),
    (("SHOW", "TBLPROPERTIES"), show.show_properties),
    (("SHOW", "CREATE", "TABLE"), show.show_create),
    (("SHOW", "CREATE", "VIEW"), show.show_create_view),
    (("DESCRIBE", "VIEW"), show.describe_view),
    (("DESCRIBE",), show.describe),
    (("DESC",), show.describe),
]
