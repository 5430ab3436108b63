"""Executes Hive's statements on the Glue catalog. CREATE EXTERNAL TABLE, SHOW and DESCRIBE are in other modules."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from infra.localcloud.athena import show
from infra.localcloud.athena.aws import CallerAws, Table, split_folder
from infra.localcloud.athena.create_table import create_table
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.statements import NAME, name_parts, properties

# An action gets the matched statement, the catalog, and the database of names without one.
Action = Callable[[re.Match[str], CallerAws, str], Result]


def run(sql: str, aws: CallerAws, database: str) -> Result:
    """Executes one statement.

    Args:
        sql: The statement without comments.
        aws: The catalog with the caller's keys.
        database: The database of names without one.

    Raises:
        QueryError: The statement is wrong.
        UnsupportedError: Athena may execute it, the local cloud cannot.
    """
    for pattern, action in _STATEMENTS:
        if matched := re.fullmatch(pattern, sql, re.IGNORECASE | re.DOTALL):
            return action(matched, aws, database)
    if sql.split(None, 1)[:1] and sql.split(None, 1)[0].upper() not in _WORDS:
        raise QueryError(f"SYNTAX_ERROR: line 1:1: mismatched input '{sql.split(None, 1)[0]}'")
    raise UnsupportedError("the statement " + " ".join(sql.split()[:4]) + " …")


def _table(matched: re.Match[str], aws: CallerAws, database: str) -> Table:
    return aws.existing_table(*name_parts(matched["name"], database))


def _create_database(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    name = matched["name"].strip('`"').lower()
    if name in aws.databases():
        if matched["unless"]:
            return text_result()
        raise QueryError(f"FAILED: SemanticException Database {name} already exists")
    entry = {"Name": name}
    if location := re.search(r"LOCATION\s+'([^']+)'", matched["rest"], re.IGNORECASE):
        entry["LocationUri"] = location[1]
    if comment := re.search(r"COMMENT\s+'([^']*)'", matched["rest"], re.IGNORECASE):
        entry["Description"] = comment[1]
    aws.call("create_database", DatabaseInput=entry)
    return text_result()


def _drop_database(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    name = matched["name"].strip('`"').lower()
    if name not in aws.databases():
        if matched["unless"]:
            return text_result()
        raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
    if aws.tables(name) and not matched["cascade"]:
        raise QueryError(
            f"FAILED: InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
        )
    aws.call("delete_database", Name=name)
    return text_result()


def _drop_table(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    database, name = name_parts(matched["name"], database)
    if aws.table(database, name) is None:
        if matched["unless"]:
            return text_result()
        raise QueryError(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
    aws.call("delete_table", DatabaseName=database, Name=name)
    return text_result()


def _partition_clauses(text: str) -> list[tuple[dict[str, str], str]]:
    """Values and location of each ``PARTITION (a='x') LOCATION 's3://…'``."""
    found, pattern = [], r"\s*,?\s*PARTITION\s*\(([^)]*)\)\s*(?:LOCATION\s+'([^']+)')?"
    while text.strip():
        matched = re.match(pattern, text, re.IGNORECASE)
        if not matched:
            raise QueryError(f"FAILED: ParseException: cannot recognize input near '{text.strip()[:40]}'")
        values = {
            name.strip('`"'): re.sub(r"^date\s*", "", str(value), flags=re.IGNORECASE).strip("'")
            for name, value in properties(matched[1]).items()
        }
        found.append((values, matched[2] or ""))
        text = text[matched.end() :]
    return found


def _values(table: Table, given: dict[str, str]) -> list[str]:
    names = [name.lower() for name, _ in table.partition_keys]
    if sorted(given) != sorted(names):
        raise QueryError(
            f"FAILED: SemanticException: the partition must name {', '.join(names)}, not {', '.join(given)}"
        )
    return [given[name] for name in names]


def _default_location(table: Table, values: list[str]) -> str:
    keys = zip(table.partition_keys, values, strict=True)
    return table.location.rstrip("/") + "/" + "".join(f"{name}={value}/" for (name, _), value in keys)


def _add_partition(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    table = _table(matched, aws, database)
    existing = {partition.values for partition in aws.partitions(table)}
    for given, location in _partition_clauses(matched["clauses"]):
        values = _values(table, given)
        if tuple(values) in existing:
            if matched["unless"]:
                continue
            raise QueryError(f"FAILED: AlreadyExistsException: Partition already exists: {values}")
        aws.add_partition(table, values, location or _default_location(table, values))
    return text_result()


def _drop_partition(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    table = _table(matched, aws, database)
    existing = {partition.values for partition in aws.partitions(table)}
    for given, _ in _partition_clauses(matched["clauses"]):
        values = _values(table, given)
        if tuple(values) in existing:
            aws.call("delete_partition", DatabaseName=table.database, TableName=table.name, PartitionValues=values)
        elif not matched["unless"]:
            raise QueryError(f"FAILED: SemanticException [Error 10006]: Partition not found {given}")
    return text_result()


def _repair(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Registers the partitions whose folders below the table's location have names of the form key=value."""
    table = _table(matched, aws, database)
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


# Words with which a statement of Athena may begin: one of them is refused, any other word is a syntax error.
_WORDS = {
    "ALTER",
    "ANALYZE",
    "CALL",
    "CREATE",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DROP",
    "EXPLAIN",
    "MERGE",
    "MSCK",
    "OPTIMIZE",
    "SHOW",
    "UPDATE",
    "VACUUM",
}
_UNLESS, _IF = r"(?P<unless>IF\s+NOT\s+EXISTS\s+)?", r"(?P<unless>IF\s+EXISTS\s+)?"
_NAMED, _LIKE = rf"(?P<name>{NAME})", r"(\s+(LIKE\s+)?'(?P<like>[^']*)')?"
_STATEMENTS: list[tuple[str, Action]] = [
    (rf"CREATE\s+(DATABASE|SCHEMA)\s+{_UNLESS}{_NAMED}(?P<rest>.*)", _create_database),
    (rf"DROP\s+(DATABASE|SCHEMA)\s+{_IF}{_NAMED}\s*(?P<cascade>CASCADE)?(\s*RESTRICT)?", _drop_database),
    (rf"CREATE\s+EXTERNAL\s+TABLE\s+{_UNLESS}{_NAMED}\s*(?P<body>\(.*)", create_table),
    (rf"DROP\s+(TABLE|VIEW)\s+{_IF}{_NAMED}", _drop_table),
    (rf"ALTER\s+TABLE\s+{_NAMED}\s+ADD\s+{_UNLESS}(?P<clauses>PARTITION.*)", _add_partition),
    (rf"ALTER\s+TABLE\s+{_NAMED}\s+DROP\s+{_IF}(?P<clauses>PARTITION.*)", _drop_partition),
    (rf"MSCK\s+REPAIR\s+TABLE\s+{_NAMED}", _repair),
    (rf"SHOW\s+PARTITIONS\s+{_NAMED}", show.show_partitions),
    (rf"SHOW\s+(?P<what>TABLES|VIEWS)(\s+(IN|FROM)\s+{_NAMED})?{_LIKE}", show.show_tables),
    (rf"SHOW\s+(DATABASES|SCHEMAS){_LIKE}", show.show_databases),
    (rf"SHOW\s+COLUMNS\s+(IN|FROM)\s+{_NAMED}(\s+(IN|FROM)\s+(?P<db>{NAME}))?", show.show_columns),
    (rf"SHOW\s+CREATE\s+TABLE\s+{_NAMED}", show.show_create),
    (rf"DESC(RIBE)?\s+{_NAMED}", show.describe),
]
