"""Column types as Glue (Hive), DuckDB and Athena name them, and the kinds by which operators differ."""

from __future__ import annotations

import re

from infra.localcloud.athena.errors import QueryError

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
    "DATE": ("date", 0, 0),
    "TIMESTAMP": ("timestamp", 3, 0),
    "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", 3, 0),
    "BLOB": ("varbinary", 1073741824, 0),
    "JSON": ("json", 0, 0),
    "UUID": ("uuid", 0, 0),
    '"NULL"': ("unknown", 0, 0),
}
_TO_TRINO = {
    "FLOAT": "real",
    "BLOB": "varbinary",
    "TIMESTAMP": "timestamp(3)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    '"NULL"': "unknown",
}
_KINDS = {
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "DATE": "time",
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
    if matched := re.fullmatch(r"MAP\((.*)\)", duckdb_type, re.DOTALL):
        return "map<" + ",".join(duckdb_to_hive(part) for part in split_top(matched[1])) + ">"
    if matched := re.fullmatch(r"STRUCT\((.*)\)", duckdb_type, re.DOTALL):
        fields = [part.split(" ", 1) for part in split_top(matched[1])]
        return "struct<" + ",".join(f"{name.strip(chr(34))}:{duckdb_to_hive(kind)}" for name, kind in fields) + ">"
    if duckdb_type in ("TIMESTAMP WITH TIME ZONE", "TIME", "JSON", "UUID") or duckdb_type.startswith("INTERVAL"):
        raise QueryError(
            f"NOT_SUPPORTED: Unsupported Hive type: {duckdb_type.lower()}. Cast the column to timestamp or varchar"
        )
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
    if duckdb_type.startswith("MAP("):
        return "map", 0, 0
    if duckdb_type.startswith("STRUCT("):
        return "row", 0, 0
    try:
        return _TO_ATHENA[duckdb_type]
    except KeyError:
        raise QueryError(f"NOT_SUPPORTED: a column of type {duckdb_type.lower()} cannot be reported: cast it") from None


def trino_type(duckdb_type: str) -> str:
    """Names a DuckDB type as Trino's typeof does: ``array(bigint)``."""
    if duckdb_type.endswith("[]"):
        return f"array({trino_type(duckdb_type[:-2])})"
    if duckdb_type.startswith("MAP("):
        return "map(" + ", ".join(map(trino_type, split_top(duckdb_type[4:-1]))) + ")"
    if duckdb_type.startswith("STRUCT("):
        return "row(" + ", ".join(_trino_field(part) for part in split_top(duckdb_type[7:-1])) + ")"
    return _TO_TRINO.get(duckdb_type, duckdb_type.lower())


def _trino_field(part: str) -> str:
    name, found = part.split(" ", 1)
    return f"{name.strip(chr(34))} {trino_type(found)}"


def kind(duckdb_type: str) -> str:
    """Returns the kind by which Trino's operators differ.

    Kinds: number, varchar, boolean, time, binary, json, uuid, array, map, row, interval, null.
    """
    if duckdb_type.endswith("[]"):
        return "array"
    if duckdb_type in INTEGERS or duckdb_type in REALS or duckdb_type.startswith("DECIMAL"):
        return "number"
    for prefix, name in (("MAP(", "map"), ("STRUCT(", "row"), ("TIMESTAMP", "time"), ("INTERVAL", "interval")):
        if duckdb_type.startswith(prefix):
            return name
    return _KINDS.get(duckdb_type, duckdb_type)
