"""Trino's functions that DuckDB cannot compute faithfully, written in Python.

Each module holds a table ``FUNCTIONS``. A name begins with ``py_``; the translator writes calls of these names, and a
connection gets only the functions that its SQL calls, because registering all of them takes longer than a translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from weakref import WeakKeyDictionary

import duckdb

from infra.localcloud.athena.functions import binary, java_format, json, json_casts, number_text, text, url
from infra.localcloud.athena.functions import regex as regular_expressions
from infra.localcloud.athena.functions.python import PythonFunction

_MODULES: tuple[Iterable[PythonFunction], ...] = (
    text.FUNCTIONS,
    number_text.FUNCTIONS,
    java_format.FUNCTIONS,
    regular_expressions.FUNCTIONS,
    json.FUNCTIONS,
    json_casts.FUNCTIONS,
    binary.FUNCTIONS,
    url.FUNCTIONS,
)
FUNCTIONS: dict[str, PythonFunction] = {function.name: function for module in _MODULES for function in module}
_NAME = re.compile(r"\bpy_\w+")
# A QueryError that a function raised, in DuckDB's text of the error.
_RAISED = re.compile(r"executing the UDF: (?:QueryError|UnsupportedError): (.*?)(?:\n\nAt:\n.*)?$", re.DOTALL)
_registered: WeakKeyDictionary[duckdb.DuckDBPyConnection, set[str]] = WeakKeyDictionary()


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes every function known to a connection."""
    register_called(connection, " ".join(FUNCTIONS))


def register_called(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Makes the functions that a DuckDB text calls known to a connection."""
    if "py_" not in sql:
        return
    known = _registered.setdefault(connection, set())
    for name in set(_NAME.findall(sql)) - known:
        if name in FUNCTIONS:
            FUNCTIONS[name].register(connection)
            known.add(name)


def raised(error: duckdb.Error) -> str | None:
    """Returns the text of the QueryError that a function raised; None if the error is DuckDB's own."""
    found = _RAISED.search(str(error))
    return found[1] if found else None
