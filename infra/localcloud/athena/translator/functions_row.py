"""Rows: their fields by name."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import kind, struct_fields, trino_type


def field(node: exp.Dot, scope: Scope) -> Fragment:
    """Translates ``value.name``, whose value is translated.

    Raises:
        QueryError: The value is no row, or has no such field.
        UnsupportedError: Its type is not known.
    """
    found, name = scope.type_of(node.this), node.expression.name
    if found is None:
        raise UnsupportedError(f"{bracketed(node.this)}.{name}", "The type of the value is not known here.")
    if kind(found) != "row":
        raise QueryError(f"TYPE_MISMATCH: Expression {bracketed(node.this)} is not of type ROW but {trino_type(found)}")
    for position, (known, _) in enumerate(struct_fields(found), start=1):
        if known is not None and known.lower() == name.lower():
            return Fragment(this=f"struct_extract_at({bracketed(node.this)}, {position})")
    raise QueryError(f"COLUMN_NOT_FOUND: Field '{name}' is not in {trino_type(found)}")


def _row(call: FunctionCall) -> Fragment:
    return Fragment(this=f"row({call.all_args()})")


TABLE: dict[str, Translation] = {"row": Translation(1, MANY, _row)}
