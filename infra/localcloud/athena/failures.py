"""Why a query failed in DuckDB, in Athena's words."""

from __future__ import annotations

import re

import duckdb

from infra.localcloud.athena import functions

# A macro fails with Trino's text in a cast: see ``translator.macros``.
_OF_MACRO = re.compile(r"(?:string '|format: \")([A-Z_]{8,}: .*?)(?:' to |\", expected)", re.DOTALL)
_OVERFLOW = re.compile(r"Overflow in (\w+) of (INT8|INT16|INT32|INT64|INT128|DECIMAL\(\d+\)) \((.*?)\)")
_WORDS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
_OF_TEXT = re.compile(r"(?:string '|format: \")(?:not accepted by Trino: )?(.*?)(?:' to (\w+)|\", expected)", re.DOTALL)
_CAST_NAMES = {
    "INT8": "TINYINT",
    "INT16": "SMALLINT",
    "INT32": "INT",
    "INT64": "BIGINT",
    "FLOAT": "REAL",
    "DOUBLE": "DOUBLE",
    "BOOL": "BOOLEAN",
}
_OF_DECIMAL = re.compile(r'(?:Casting value|convert string) "(?:not accepted by Trino: )?(.*?)" to (?:type )?DECIMAL\((\d+),(\d+)\)')
_OUT_OF_RANGE = re.compile(r'(date|timestamp) field value out of range: "(.*?)"')
_DOMAIN = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
)


def reason(error: duckdb.Error) -> str:
    """Returns DuckDB's error with Athena's name for errors of its kind."""
    if raised := functions.raised(error):
        return raised
    line = first_line(error)
    if matched := _OF_MACRO.search(str(error)):
        return matched[1]
    if matched := _OVERFLOW.search(line):
        if matched[2] not in _WORDS:
            return "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"
        return f"NUMERIC_VALUE_OUT_OF_RANGE: {_WORDS[matched[2]]} {matched[1]} overflow: {matched[3]}"
    if matched := _OUT_OF_RANGE.search(line):
        return f"INVALID_CAST_ARGUMENT: Value cannot be cast to {matched[1]}: {matched[2]}"
    if matched := _OF_DECIMAL.search(str(error)):
        return f"INVALID_CAST_ARGUMENT: Cannot cast '{matched[1]}' to DECIMAL({matched[2]}, {matched[3]})"
    if isinstance(error, duckdb.ConversionException) and (matched := _OF_TEXT.search(str(error))):
        return _of_text(matched[1], matched[2], line)
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return f"SYNTAX_ERROR: {line}"
    for kind, name in _DOMAIN:
        if isinstance(error, kind):
            return f"{name}: {line}"
    return f"GENERIC_USER_ERROR: {line}"


def _of_text(written: str, target: str | None, line: str) -> str:
    """The failed cast of a varchar."""
    if target is None:
        return f"INVALID_CAST_ARGUMENT: Value cannot be cast to {'date' if 'date field' in line else 'timestamp'}: {written}"
    return f"INVALID_CAST_ARGUMENT: Cannot cast '{written}' to {_CAST_NAMES.get(target, target)}"


def first_line(error: Exception) -> str:
    """Returns DuckDB's reason without the excerpt of the query below it."""
    return str(error).split("\n\n")[0].split("\nLINE")[0].strip()
