"""Why a query failed in DuckDB, in Athena's words."""

from __future__ import annotations

import re

import duckdb

from infra.localcloud.athena import functions

# A macro fails with Trino's text in a cast: see ``translator.macros``.
_OF_MACRO = re.compile(r"(?:convert string '|timestamp field value[^:]*: \"|date field value[^:]*: \"|\")([A-Z_]{8,}: .*?)(?:' to |\"(?:,|$| ))", re.DOTALL)
_OVERFLOW = re.compile(r"Overflow in (\w+) of (INT8|INT16|INT32|INT64|DECIMAL\(\d+\)) \((.*?)\)")
_WORDS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
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
        if matched[2].startswith("DECIMAL"):
            return "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow"
        return f"NUMERIC_VALUE_OUT_OF_RANGE: {_WORDS[matched[2]]} {matched[1]} overflow: {matched[3]}"
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return f"SYNTAX_ERROR: {line}"
    for kind, name in _DOMAIN:
        if isinstance(error, kind):
            return f"{name}: {line}"
    return f"GENERIC_USER_ERROR: {line}"


def first_line(error: Exception) -> str:
    """Returns DuckDB's reason without the excerpt of the query below it."""
    return str(error).split("\n\n")[0].split("\nLINE")[0].strip()
