"""Column types as Glue (Hive), DuckDB and Athena name them, and the kinds by which operators differ."""

from __future__ import annotations

import re

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.times import interval_type, time_type

_TO_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
    "varbinary": "BLOB",
}
_TO_HIVE = {
    "FLOAT": "float",
    "DOUBLE": "double",
    "INTEGER": "int",
    "VARCHAR": "string",
    "BLOB": "binary",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    '"NULL"': "string",
}
_TO_ATHENA = {
    "FLOAT": ("float", 17, 0),
    "DOUBLE": ("double", 17, 0),
    "BOOLEAN": ("boolean", 0, 0),
    "TINYINT": ("tinyint", 3, 0),
    "SMALLINT": ("smallint", 5, 0),
    "INTEGER": ("integer", 10, 0),
    "BIGINT": ("bigint", 19, 0),
    "VARCHAR": ("varchar", 2147483647, 0),
    "BLOB": ("varbinary", 1073741824, 0),
    "JSON": ("json", 0, 0),
    "UUID": ("uuid", 0, 0),
    '"NULL"': ("unknown", 0, 0),
}
_TO_TRINO = {"FLOAT": "real", "BLOB": "varbinary", '"NULL"': "unknown"}
_KINDS = {
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
    "JSON": "json",
    "UUID": "uuid",
    '"NULL"': "null",
}
INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
REALS = frozenset({"FLOAT", "DOUBLE"})


def split_top(text: str, separator: str = ",") -> list[str]:
    """Splits text at the separators that are outside brackets and quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif letter in "<([":
            depth += 1
        elif letter in ">)]":
            depth -= 1
        elif letter == separator and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in [*parts, text[start:]]]


def hive_to_duckdb(hive: str) -> str:
    """Converts a Hive type: ``array<struct<a:int>>`` → ``STRUCT("a" INTEGER)[]``.

    Raises:
        QueryError: The type is not known.
    """
    text = hive.strip().lower()
    if matched := re.fullmatch(r"decimal(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text):
        return f"DECIMAL({matched[1] or 10},{matched[2] or 0})"
    if matched := re.fullmatch(r"array<(.*)>", text, re.DOTALL):
        return hive_to_duckdb(matched[1]) + "[]"
    if matched := re.fullmatch(r"map<(.*)>", text, re.DOTALL):
        key, value = split_top(matched[1])
        return f"MAP({hive_to_duckdb(key)}, {hive_to_duckdb(value)})"
    if matched := re.fullmatch(r"struct<(.*)>", text, re.DOTALL):
        fields = [split_top(field, ":") for field in split_top(matched[1])]
        return "STRUCT(" + ", ".join(f'"{name}" {hive_to_duckdb(kind)}' for name, kind in fields) + ")"
    plain = re.sub(r"\s*\(.*\)$", "", text)
    if plain not in _TO_DUCKDB:
        raise QueryError(f"HIVE_UNSUPPORTED: the type {hive!r} is not one that the local cloud's Athena reads")
    return _TO_DUCKDB[plain]


def duckdb_to_hive(duckdb_type: str) -> str:
    """Converts the DuckDB type of a column that a query wrote to its Hive type.

    Raises:
        QueryError: Hive has no such type.
    """
    if duckdb_type.endswith("[]"):
        return f"array<{duckdb_to_hive(duckdb_type[:-2])}>"
    time = time_type(duckdb_type)
    if (
        interval_type(duckdb_type)
        or duckdb_type in ("TIME", "JSON", "UUID")
        or (time and (time.zone is not None or not time.plain_or_date))
    ):
        raise QueryError(
            f"NOT_SUPPORTED: Unsupported Hive type: {trino_type(duckdb_type)}. Cast the column to timestamp or varchar"
        )
    if matched := re.fullmatch(r"MAP\((.*)\)", duckdb_type, re.DOTALL):
        return "map<" + ",".join(duckdb_to_hive(part) for part in split_top(matched[1])) + ">"
    if duckdb_type.startswith("STRUCT("):
        fields = struct_fields(duckdb_type)
        if any(name is None for name, _ in fields):
            raise QueryError(
                "NOT_SUPPORTED: Anonymous row type is not supported in Hive. Please give each field a name: "
                + trino_type(duckdb_type)
            )
        return "struct<" + ",".join(f"{name}:{duckdb_to_hive(of)}" for name, of in fields) + ">"
    return _TO_HIVE.get(duckdb_type, duckdb_type.lower())


def duckdb_to_athena(duckdb_type: str) -> tuple[str, int, int]:
    """Converts a DuckDB type to type name, precision and scale, as GetQueryResults reports them.

    Raises:
        QueryError: Athena has no such type.
    """
    if matched := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb_type):
        return "decimal", int(matched[1]), int(matched[2])
    if duckdb_type.endswith("[]"):
        return "array", 0, 0
    if time := time_type(duckdb_type):
        return ("date", 0, 0) if time.base == "date" else (time.trino().replace(f"({time.precision})", ""), 3, 0)
    if found := interval_type(duckdb_type):
        return found, 0, 0
    if duckdb_type.startswith("MAP("):
        return "map", 0, 0
    if duckdb_type.startswith("STRUCT("):
        return "row", 0, 0
    try:
        return _TO_ATHENA[duckdb_type]
    except KeyError:
        raise QueryError(f"NOT_SUPPORTED: a column of type {duckdb_type.lower()} cannot be reported: cast it") from None


def struct_fields(duckdb_type: str) -> list[tuple[str | None, str]]:
    """Returns the names and types of a struct's fields; a name is None in the struct of a ROW without names."""
    fields: list[tuple[str | None, str]] = []
    for part in split_top(duckdb_type[len("STRUCT(") : -1]):
        if part.startswith('"') and part != '"NULL"':
            end = re.match(r'"((?:[^"]|"")*)" ', part)
            fields.append((end[1].replace('""', '"'), part[end.end() :]) if end else (None, part))
        elif part == '"NULL"' or part.split(" ")[0].split("(")[0].split("[")[0].isupper():
            fields.append((None, part))
        else:
            name, _, found = part.partition(" ")
            fields.append((name, found))
    return fields


def struct_of(fields: list[tuple[str | None, str]]) -> str:
    """Writes a struct's DuckDB type."""
    written = (found if name is None else f"{quoted_name(name)} {found}" for name, found in fields)
    return f"STRUCT({', '.join(written)})"


def quoted_name(name: str) -> str:
    """Quotes a name for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def decimal_size(duckdb_type: str) -> tuple[int, int] | None:
    """Returns precision and scale of a decimal type; None for other types."""
    matched = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb_type)
    return (int(matched[1]), int(matched[2])) if matched else None


def trino_type(duckdb_type: str | None) -> str:
    """Returns Trino's name of a type, for errors and ``typeof``."""
    if duckdb_type is None:
        return "unknown"
    if duckdb_type.endswith("[]"):
        return f"array({trino_type(duckdb_type[:-2])})"
    if found := interval_type(duckdb_type):
        return found
    if time := time_type(duckdb_type):
        return time.trino()
    if duckdb_type.startswith("MAP("):
        return "map(" + ", ".join(map(trino_type, split_top(duckdb_type[4:-1]))) + ")"
    if duckdb_type.startswith("STRUCT("):
        fields = struct_fields(duckdb_type)
        return "row(" + ", ".join(f"{name} {trino_type(of)}" if name else trino_type(of) for name, of in fields) + ")"
    return _TO_TRINO.get(duckdb_type, duckdb_type.lower())


def kind(duckdb_type: str) -> str:
    """Returns the kind by which Trino's operators differ.

    Kinds: number, varchar, boolean, time, binary, json, uuid, array, map, row, interval, null.
    """
    if duckdb_type.endswith("[]"):
        return "array"
    if duckdb_type in INTEGERS or duckdb_type in REALS or duckdb_type.startswith("DECIMAL"):
        return "number"
    if time_type(duckdb_type):
        return "time"
    if interval_type(duckdb_type):
        return "interval"
    for prefix, name in (("MAP(", "map"), ("STRUCT(", "row")):
        if duckdb_type.startswith(prefix):
            return name
    return _KINDS.get(duckdb_type, duckdb_type)
