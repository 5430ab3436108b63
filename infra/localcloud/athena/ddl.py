"""Athena's Hive statements on the Glue catalog: CREATE, DROP, ALTER, MSCK, SHOW and DESCRIBE."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .aws import Aws, Table, folder
from .errors import QueryFailed, Refused
from .results import Result
from .statements import _NAME as NAME
from .statements import closing, name_parts, properties
from .types import hive_to_duckdb, split_top
from .writing import PARQUET

_TEXT = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
_LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


def text_result(*columns: str, rows: list[list[str | None]] | None = None) -> Result:
    return Result([(name, "VARCHAR") for name in columns], rows or [], header=False)


def run(sql: str, aws: Aws, database: str) -> Result:
    """Runs one statement; what is not among them is refused."""
    for pattern, action in _STATEMENTS:
        if matched := re.fullmatch(pattern, sql, re.I | re.S):
            return action(matched, aws, database)
    if sql.split(None, 1)[:1] and sql.split(None, 1)[0].upper() not in _WORDS:
        raise QueryFailed(f"SYNTAX_ERROR: line 1:1: mismatched input '{sql.split(None, 1)[0]}'")
    raise Refused("the statement " + " ".join(sql.split()[:4]) + " …")


def _table(matched: re.Match[str], aws: Aws, database: str) -> Table:
    return aws.existing_table(*name_parts(matched["name"], database))


def _create_database(matched: re.Match[str], aws: Aws, database: str) -> Result:
    name = matched["name"].strip('`"').lower()
    if name in aws.databases():
        if matched["unless"]:
            return text_result()
        raise QueryFailed(f"FAILED: SemanticException Database {name} already exists")
    entry: dict[str, object] = {"Name": name}
    if location := re.search(r"LOCATION\s+'([^']+)'", matched["rest"], re.I):
        entry["LocationUri"] = location[1]
    if comment := re.search(r"COMMENT\s+'([^']*)'", matched["rest"], re.I):
        entry["Description"] = comment[1]
    aws.call("create_database", DatabaseInput=entry)
    return text_result()


def _drop_database(matched: re.Match[str], aws: Aws, database: str) -> Result:
    name = matched["name"].strip('`"').lower()
    if name not in aws.databases():
        if matched["unless"]:
            return text_result()
        raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
    if aws.tables(name) and not matched["cascade"]:
        raise QueryFailed(
            f"FAILED: InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
        )
    aws.call("delete_database", Name=name)
    return text_result()


def _columns(text: str) -> list[dict[str, str]]:
    found = []
    for item in filter(None, split_top(text)):
        matched = re.fullmatch(r"[`\"]?([\w$-]+)[`\"]?\s+(.+?)(?:\s+COMMENT\s+'([^']*)')?", item, re.I | re.S)
        if not matched:
            raise QueryFailed(f"FAILED: ParseException: {item!r} is not a column's name and type")
        hive_to_duckdb(matched[2])
        column = {"Name": matched[1].lower(), "Type": re.sub(r"\s+", "", matched[2]).lower()}
        found.append(column | ({"Comment": matched[3]} if matched[3] else {}))
    return found


def _create_table(matched: re.Match[str], aws: Aws, database: str) -> Result:
    database, name = name_parts(matched["name"], database)
    body = matched["body"]
    end = closing(body, 0)
    columns, rest = _columns(body[1:end]), body[end + 1 :]
    keys: list[dict[str, str]] = []
    parameters: dict[str, str] = {"EXTERNAL": "TRUE"}
    serde: dict[str, str] = {}
    storage: dict[str, object] = {}
    library = ""
    rest = rest.strip()
    while rest:
        if opened := re.match(r"PARTITIONED\s+BY\s*\(", rest, re.I):
            end = closing(rest, opened.end() - 1)
            keys, taken = _columns(rest[opened.end() : end]), end + 1
        elif found := re.match(r"(TBLPROPERTIES|WITH\s+SERDEPROPERTIES)\s*\(", rest, re.I):
            end = closing(rest, found.end() - 1)
            given = {k: str(v) for k, v in _quoted_properties(rest[found.end() : end]).items()}
            (parameters if found[1].upper() == "TBLPROPERTIES" else serde).update(given)
            taken = end + 1
        elif found := re.match(r"ROW\s+FORMAT\s+SERDE\s+'([^']+)'", rest, re.I):
            library, taken = found[1], found.end()
        elif found := re.match(r"ROW\s+FORMAT\s+DELIMITED\b", rest, re.I):
            library, taken = _LAZY, found.end()
        elif found := re.match(
            r"(FIELDS|LINES|COLLECTION\s+ITEMS|MAP\s+KEYS)\s+TERMINATED\s+BY\s+'([^']+)'", rest, re.I
        ):
            if found[1].upper() == "FIELDS":
                serde["field.delim"] = found[2].replace("\\t", "\t").replace("\\001", "\x01")
            elif found[1].upper() == "LINES" and found[2] not in ("\\n", "\n"):
                raise Refused(f"LINES TERMINATED BY '{found[2]}'")
            taken = found.end()
        elif found := re.match(r"(ESCAPED\s+BY|NULL\s+DEFINED\s+AS)\s+'([^']*)'", rest, re.I):
            if found[1].upper().startswith("ESCAPED"):
                raise Refused("ROW FORMAT DELIMITED … ESCAPED BY", "Use org.apache.hadoop.hive.serde2.OpenCSVSerde.")
            serde["serialization.null.format"], taken = found[2], found.end()
        elif found := re.match(r"STORED\s+AS\s+INPUTFORMAT\s+'([^']+)'\s+OUTPUTFORMAT\s+'([^']+)'", rest, re.I):
            storage |= {"InputFormat": found[1], "OutputFormat": found[2]}
            taken = found.end()
        elif found := re.match(r"STORED\s+AS\s+(\w+)", rest, re.I):
            if found[1].upper() not in ("PARQUET", "TEXTFILE", "JSON"):
                raise Refused(f"STORED AS {found[1].upper()}")
            if found[1].upper() == "PARQUET":
                storage, library = dict(PARQUET), str(PARQUET["SerdeInfo"]["SerializationLibrary"])  # type: ignore[index]
            taken = found.end()
        elif found := re.match(r"LOCATION\s+'([^']+)'", rest, re.I):
            storage["Location"], taken = "s3://" + "/".join(folder(found[1])), found.end()
        elif found := re.match(r"COMMENT\s+'([^']*)'", rest, re.I):
            parameters["comment"], taken = found[1], found.end()
        else:
            raise QueryFailed(f"FAILED: ParseException: cannot recognize input near '{rest[:40]}'")
        rest = rest[taken:].strip()
    if not storage.get("Location"):
        raise QueryFailed("FAILED: SemanticException: LOCATION 's3://…/' is needed")
    if aws.table(database, name) is not None:
        if matched["unless"]:
            return text_result()
        raise QueryFailed(f"FAILED: SemanticException: Table {database}.{name} already exists")
    if "InputFormat" not in storage:
        storage |= _TEXT
    storage |= {"Columns": columns, "SerdeInfo": {"SerializationLibrary": library or _LAZY, "Parameters": serde}}
    entry = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": keys,
        "StorageDescriptor": storage,
    }
    aws.call("create_table", DatabaseName=database, TableInput=entry)
    return text_result()


def _quoted_properties(text: str) -> dict[str, str | list[str]]:
    return {
        re.sub(r"^['\"]|['\"]$", "", k): v if isinstance(v, list) else re.sub(r'^"(.+)"$', r"\1", v)
        for k, v in _case_kept(text).items()
    }


def _case_kept(text: str) -> dict[str, str | list[str]]:
    names = [item.partition("=")[0].strip().strip("'\"") for item in filter(None, split_top(text))]
    return dict(zip(names, properties(text).values(), strict=True))


def _drop_table(matched: re.Match[str], aws: Aws, database: str) -> Result:
    database, name = name_parts(matched["name"], database)
    if aws.table(database, name) is None:
        if matched["unless"]:
            return text_result()
        raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
    aws.call("delete_table", DatabaseName=database, Name=name)
    return text_result()


def _partition_clauses(text: str) -> list[tuple[dict[str, str], str]]:
    """``PARTITION (a='x') LOCATION 's3://…'``, any number of them."""
    found, pattern = [], r"\s*,?\s*PARTITION\s*\(([^)]*)\)\s*(?:LOCATION\s+'([^']+)')?"
    while text.strip():
        matched = re.match(pattern, text, re.I)
        if not matched:
            raise QueryFailed(f"FAILED: ParseException: cannot recognize input near '{text.strip()[:40]}'")
        values = {
            name.strip('`"'): re.sub(r"^date\s*", "", str(value), flags=re.I).strip("'")
            for name, value in properties(matched[1]).items()
        }
        found.append((values, matched[2] or ""))
        text = text[matched.end() :]
    return found


def _values(table: Table, given: dict[str, str]) -> list[str]:
    names = [name.lower() for name, _ in table.partition_keys]
    if sorted(given) != sorted(names):
        raise QueryFailed(
            f"FAILED: SemanticException: the partition must name {', '.join(names)}, not {', '.join(given)}"
        )
    return [given[name] for name in names]


def partition_input(table: Table, values: list[str], location: str) -> dict[str, object]:
    storage = {**table.description["StorageDescriptor"], "Location": location}
    return {"Values": values, "StorageDescriptor": storage}


def default_location(table: Table, values: list[str]) -> str:
    return (
        table.location.rstrip("/")
        + "/"
        + "".join(f"{name}={value}/" for (name, _), value in zip(table.partition_keys, values, strict=True))
    )


def _add_partition(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = _table(matched, aws, database)
    there = {partition.values for partition in aws.partitions(table)}
    for given, location in _partition_clauses(matched["clauses"]):
        values = _values(table, given)
        if tuple(values) in there:
            if matched["unless"]:
                continue
            raise QueryFailed(f"FAILED: AlreadyExistsException: Partition already exists: {values}")
        entry = partition_input(table, values, location or default_location(table, values))
        aws.call("create_partition", DatabaseName=table.database, TableName=table.name, PartitionInput=entry)
    return text_result()


def _drop_partition(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = _table(matched, aws, database)
    there = {partition.values for partition in aws.partitions(table)}
    for given, _ in _partition_clauses(matched["clauses"]):
        values = _values(table, given)
        if tuple(values) in there:
            aws.call("delete_partition", DatabaseName=table.database, TableName=table.name, PartitionValues=values)
        elif not matched["unless"]:
            raise QueryFailed(f"FAILED: SemanticException [Error 10006]: Partition not found {given}")
    return text_result()


def _repair(matched: re.Match[str], aws: Aws, database: str) -> Result:
    """Adds the partitions whose folders are named key=value below the table's location."""
    table = _table(matched, aws, database)
    there = {partition.values for partition in aws.partitions(table)}
    bucket, prefix = folder(table.location)
    pattern = re.compile("".join(f"{re.escape(name)}=([^/]+)/" for name, _ in table.partition_keys), re.I)
    found = {}
    for file in aws.files(table.location):
        if table.partition_keys and (match := pattern.match(file.key[len(prefix) :])):
            found[tuple(map(unquote, match.groups()))] = f"s3://{bucket}/{prefix}{match[0]}"
    rows: list[list[str | None]] = []
    for values, location in sorted(found.items()):
        if values not in there:
            entry = partition_input(table, list(values), location)
            aws.call("create_partition", DatabaseName=table.database, TableName=table.name, PartitionInput=entry)
            rows.append([f"Repair: Added partition to metastore {table.name}:{'/'.join(values)}"])
    return text_result("result", rows=rows)


def _show_partitions(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = _table(matched, aws, database)
    if not table.partition_keys:
        raise QueryFailed(f"FAILED: Execution Error: Table {table.name} is not a partitioned table")
    names = [name for name, _ in table.partition_keys]
    rows = [
        "/".join(f"{name}={value}" for name, value in zip(names, one.values, strict=True))
        for one in aws.partitions(table)
    ]
    return text_result("partition", rows=[[row] for row in sorted(rows)])


def _pattern(text: str | None) -> re.Pattern[str]:
    return re.compile(text.replace("*", ".*") if text else ".*", re.I)


def _show_tables(matched: re.Match[str], aws: Aws, database: str) -> Result:
    wanted = _pattern(matched["like"])
    views = matched["what"].upper() == "VIEWS"
    found = aws.tables((matched["name"] or database).strip('`"').lower())
    names = [str(item["Name"]) for item in found if not views or item.get("TableType") == "VIRTUAL_VIEW"]
    return text_result("views" if views else "tab_name", rows=[[name] for name in names if wanted.fullmatch(name)])


def _show_databases(matched: re.Match[str], aws: Aws, database: str) -> Result:
    wanted = _pattern(matched["like"])
    return text_result("database_name", rows=[[name] for name in aws.databases() if wanted.fullmatch(name)])


def _show_columns(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = aws.existing_table(*name_parts(matched["name"], (matched["db"] or database).strip('`"').lower()))
    return text_result("field", rows=[[name.ljust(20)] for name, _ in [*table.columns, *table.partition_keys]])


def _describe(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = _table(matched, aws, database)
    rows: list[list[str | None]] = [
        [name.ljust(20), kind.ljust(20), "".ljust(20)] for name, kind in [*table.columns, *table.partition_keys]
    ]
    if table.partition_keys:
        rows += [
            ["", None, None],
            ["# Partition Information", None, None],
            ["# col_name".ljust(20), "data_type".ljust(20), "comment".ljust(20)],
        ]
        rows += [
            ["", None, None],
            *[[name.ljust(20), kind.ljust(20), "".ljust(20)] for name, kind in table.partition_keys],
        ]
    return text_result("col_name", "data_type", "comment", rows=rows)


def _show_create(matched: re.Match[str], aws: Aws, database: str) -> Result:
    table = _table(matched, aws, database)
    storage = table.description["StorageDescriptor"]
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines += [
        f"  `{name}` {kind}{',' if index < len(table.columns) - 1 else ')'}"
        for index, (name, kind) in enumerate(table.columns)
    ]
    if table.partition_keys:
        lines.append("PARTITIONED BY ( ")
        last = len(table.partition_keys) - 1
        lines += [
            f"  `{name}` {kind}{',' if index < last else ')'}"
            for index, (name, kind) in enumerate(table.partition_keys)
        ]
    lines += ["ROW FORMAT SERDE ", f"  '{storage.get('SerdeInfo', {}).get('SerializationLibrary', '')}' "]
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  '{storage.get('InputFormat', '')}' ",
        "OUTPUTFORMAT ",
        f"  '{storage.get('OutputFormat', '')}'",
    ]
    lines += ["LOCATION", f"  '{table.location}'"]
    return text_result("createtab_stmt", rows=[[line] for line in lines])


# Words that a statement of Athena's may begin with: any other is a mistake, not something that is missing here.
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
_STATEMENTS = [
    (rf"CREATE\s+(DATABASE|SCHEMA)\s+(?P<unless>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})(?P<rest>.*)", _create_database),
    (
        rf"DROP\s+(DATABASE|SCHEMA)\s+(?P<unless>IF\s+EXISTS\s+)?(?P<name>{NAME})\s*(?P<cascade>CASCADE)?(\s*RESTRICT)?",
        _drop_database,
    ),
    (rf"CREATE\s+EXTERNAL\s+TABLE\s+(?P<unless>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})\s*(?P<body>\(.*)", _create_table),
    (rf"DROP\s+(TABLE|VIEW)\s+(?P<unless>IF\s+EXISTS\s+)?(?P<name>{NAME})", _drop_table),
    (
        rf"ALTER\s+TABLE\s+(?P<name>{NAME})\s+ADD\s+(?P<unless>IF\s+NOT\s+EXISTS\s+)?(?P<clauses>PARTITION.*)",
        _add_partition,
    ),
    (
        rf"ALTER\s+TABLE\s+(?P<name>{NAME})\s+DROP\s+(?P<unless>IF\s+EXISTS\s+)?(?P<clauses>PARTITION.*)",
        _drop_partition,
    ),
    (rf"MSCK\s+REPAIR\s+TABLE\s+(?P<name>{NAME})", _repair),
    (rf"SHOW\s+PARTITIONS\s+(?P<name>{NAME})", _show_partitions),
    (
        rf"SHOW\s+(?P<what>TABLES|VIEWS)(\s+(IN|FROM)\s+(?P<name>{NAME}))?(\s+(LIKE\s+)?'(?P<like>[^']*)')?",
        _show_tables,
    ),
    (r"SHOW\s+(DATABASES|SCHEMAS)(\s+(LIKE\s+)?'(?P<like>[^']*)')?", _show_databases),
    (rf"SHOW\s+COLUMNS\s+(IN|FROM)\s+(?P<name>{NAME})(\s+(IN|FROM)\s+(?P<db>{NAME}))?", _show_columns),
    (rf"SHOW\s+CREATE\s+TABLE\s+(?P<name>{NAME})", _show_create),
    (rf"DESC(RIBE)?\s+(?P<name>{NAME})", _describe),
]
