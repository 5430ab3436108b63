"""Why a query failed in DuckDB, in Athena's words."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

from infra.localcloud.athena import functions

_WORDS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
_CAST_NAMES = {
    "INT8": "TINYINT",
    "INT16": "SMALLINT",
    "INT32": "INT",
    "INT64": "BIGINT",
    "FLOAT": "REAL",
    "BOOL": "BOOLEAN",
}
_CODES = (
    (duckdb.BinderException, "SYNTAX_ERROR"),
    (duckdb.CatalogException, "SYNTAX_ERROR"),
    (duckdb.ParserException, "SYNTAX_ERROR"),
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
)


def _overflow(found: re.Match[str]) -> str:
    if found[2] not in _WORDS:
        return "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"
    return f"NUMERIC_VALUE_OUT_OF_RANGE: {_WORDS[found[2]]} {found[1]} overflow: {found[3]}"


def _out_of_type(found: re.Match[str]) -> str:
    if found[1] == "INT128":  # a sum
        return f"NUMERIC_VALUE_OUT_OF_RANGE: {_WORDS[found[3]]} overflow: {found[2]}"
    return f"INVALID_CAST_ARGUMENT: Out of range for {_WORDS[found[3]]}: {found[2]}"


# DuckDB's texts and Athena's; the first that fits counts. A macro fails with Trino's text in a cast (``macros``).
_TEXTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"(?:string '|format: \")([A-Z_]{8,}: .*?)(?:' to |\", expected)", re.DOTALL),
        lambda found: found[1],
    ),
    (re.compile(r"Overflow in (\w+) of (INT8|INT16|INT32|INT64|INT128|DECIMAL\(\d+\)) \((.*?)\)"), _overflow),
    (re.compile(r"Type (\w+) with value (\S+) can't be cast .* type (INT8|INT16|INT32|INT64)"), _out_of_type),
    (
        re.compile(r'(date|timestamp) field value out of range: "(.*?)"'),
        lambda found: f"INVALID_CAST_ARGUMENT: Value cannot be cast to {found[1]}: {found[2]}",
    ),
    (
        re.compile(
            r'(?:Casting value|convert string) "(?:not accepted by Trino: )?(.*?)" to (?:type )?DECIMAL\((\d+),(\d+)\)'
        ),
        lambda found: f"INVALID_CAST_ARGUMENT: Cannot cast '{found[1]}' to DECIMAL({found[2]}, {found[3]})",
    ),
    (
        re.compile(r'invalid (date|timestamp) field format: "(?:not accepted by Trino: )?(.*?)", expected', re.DOTALL),
        lambda found: f"INVALID_CAST_ARGUMENT: Value cannot be cast to {found[1]}: {found[2]}",
    ),
    (
        re.compile(r"convert string '(?:not accepted by Trino: )?(.*?)' to (\w+)", re.DOTALL),
        lambda found: f"INVALID_CAST_ARGUMENT: Cannot cast '{found[1]}' to {_CAST_NAMES.get(found[2], found[2])}",
    ),
)


def reason(error: duckdb.Error) -> str:
    """Returns DuckDB's error with Athena's name for errors of its kind."""
    if raised := functions.raised(error):
        return raised
    for pattern, written in _TEXTS:
        if found := pattern.search(str(error)):
            return written(found)
    code = next((name for kind, name in _CODES if isinstance(error, kind)), "GENERIC_USER_ERROR")
    return f"{code}: {first_line(error)}"


def first_line(error: Exception) -> str:
    """Returns DuckDB's reason without the excerpt of the query below it."""
    return str(error).split("\n\n")[0].split("\nLINE")[0].strip()
