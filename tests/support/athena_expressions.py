"""Runs Trino expressions from data files through the translator and DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import yaml

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.failures import reason
from infra.localcloud.athena.translator import dialect, macros
from infra.localcloud.athena.translator.printing import printable
from infra.localcloud.athena.types import duckdb_to_athena
from infra.localcloud.athena.values import athena_text

FOLDER = Path(__file__).parents[1] / "localcloud" / "athena_expressions"


def expressions(part: str) -> list[dict[str, Any]]:
    """Reads the entries of a part (values, errors, refused) of all data files."""
    return [entry for file in sorted(FOLDER.glob("*.yaml")) for entry in yaml.safe_load(file.read_text())[part]]


def open_connection() -> duckdb.DuckDBPyConnection:
    """Opens a connection as the local cloud's Athena does."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def evaluate(connection: duckdb.DuckDBPyConnection, sql: str) -> list[list[str | None]]:
    """Translates and runs a query, and prints its values as Athena does.

    Raises:
        QueryError: It fails, with the text that the query's state would have.
    """
    text = dialect.translate(dialect.parse(sql), connection)
    macros.install_called(connection, text)
    columns = [(str(row[0]), str(row[1])) for row in connection.execute(f"DESCRIBE {text}").fetchall()]
    kinds = [kind for _, kind in columns]
    for kind in kinds:
        duckdb_to_athena(kind)
    written = printable(text, columns)
    macros.install_called(connection, written)
    try:
        rows = connection.execute(written).fetchall()
    except duckdb.Error as error:
        raise QueryError(reason(error)) from None
    return [[athena_text(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
