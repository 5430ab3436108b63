"""The place of an error in the query's text, and Trino's words for names that cannot be resolved."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError

_UNKNOWN = (
    re.compile(r'Referenced column "([^"]+)" (?:not found|was not found)'),
    re.compile(r'Table "[^"]+" does not have a column named "([^"]+)"'),
)
_UNKNOWN_TABLE = re.compile(r'Referenced table "([^"]+)" not found')


def position(node: exp.Expr | None) -> str:
    """Writes ``line 1:8: ``; an empty text if the parser kept no place."""
    if isinstance(node, exp.Table):
        node = node.args.get("catalog") or node.args.get("db") or node.this
    if isinstance(node, exp.Column):
        node = node.args.get("table") or node.this
    meta = node.meta if node is not None else {}
    if not {"line", "col", "start", "end"} <= set(meta):
        return ""
    return f"line {meta['line']}:{meta['col'] - (meta['end'] - meta['start'])}: "


def located(error: QueryError, tree: exp.Expr | None) -> QueryError:
    """Returns the error with Trino's text if it is DuckDB's about a column or table name; else the same error."""
    written = str(error)
    for pattern in _UNKNOWN:
        if matched := pattern.search(written):
            return _unresolved(matched[1], tree, lambda column, name: column.name.lower() == name)
    if matched := _UNKNOWN_TABLE.search(written):
        return _unresolved(matched[1], tree, lambda column, name: (column.table or "").lower() == name)
    return error


def _unresolved(name: str, tree: exp.Expr | None, fits: Callable[[exp.Column, str], bool]) -> QueryError:
    columns = tree.find_all(exp.Column) if tree is not None else []
    column = next((one for one in columns if fits(one, name.lower())), None)
    shown = f"{column.table}.{column.name}" if column is not None and column.table else name
    return QueryError(
        f"COLUMN_NOT_FOUND: {position(column)}Column '{shown.lower()}' cannot be resolved or requester is not"
        " authorized to access requested resources"
    )
