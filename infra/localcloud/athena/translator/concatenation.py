"""Trino's ``||`` in DuckDB."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.coercion import NULL, coerce, common
from infra.localcloud.athena.translator.comparisons import comparable
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import kind, trino_type

NEVER_NULL = "never null"
"""In the ``meta`` of a translated node: it is known that the value is not null."""


def concatenation(node: exp.DPipe, scope: Scope) -> exp.Expr:
    """Translates ``||`` of two texts, arrays, binaries, or an array and an element: null if one of them is."""
    types = scope.type_of(node.this), scope.type_of(node.expression)
    arrays = [found is not None and kind(found) == "array" for found in types]
    if any(arrays):
        return _concatenated_arrays(node, types, arrays)
    for found in types:
        if found is not None and kind(found) not in ("varchar", "binary", "null"):
            raise QueryError(
                f"TYPE_MISMATCH: Cannot apply operator: {trino_type(types[0])} || {trino_type(types[1])}."
                " Cast to varchar"
            )
    comparable(*types, "||")
    if types != ("VARCHAR", "VARCHAR"):
        return fragment("({0} || {1})", node.this, node.expression)
    written = _concatenated_texts(node.this, node.expression)
    scope.remember(written, "VARCHAR")  # a chain of n concatenations would be bound n times
    return written


def _concatenated_texts(left: exp.Expr, right: exp.Expr) -> Fragment:
    """Writes a chain of ``||`` with one call for the operands beside each other that are never null.

    Each ``||`` copies all that is left of it, so a chain of n copies the text n times. DuckDB's ``concat`` copies it
    once, but takes a null for an empty text.
    """
    chain = [
        *left.meta.get("chain", [(bracketed(left), _is_never_null(left))]),
        (bracketed(right), _is_never_null(right)),
    ]
    parts: list[str] = []
    for never_null, group in groupby(chain, itemgetter(1)):
        texts = [written for written, _ in group]
        parts += [f"concat({', '.join(texts)})"] if never_null and len(texts) > 1 else texts
    written = Fragment(this=parts[0] if len(parts) == 1 else f"({' || '.join(parts)})")
    written.meta["chain"] = chain
    written.meta[NEVER_NULL] = all(never_null for _, never_null in chain)
    return written


def _is_never_null(node: exp.Expr) -> bool:
    """Whether it is known of a text that it is not null."""
    plain = node.unnest()
    return isinstance(plain, exp.Literal) or bool(plain.meta.get(NEVER_NULL))


def _concatenated_arrays(node: exp.DPipe, types: tuple[str | None, str | None], arrays: list[bool]) -> Fragment:
    left, right = bracketed(node.this), bracketed(node.expression)
    if None in types:
        raise UnsupportedError(f"{left} || {right}", "The type of an operand is not known here.")
    one, other = str(types[0]), str(types[1])
    if one == NULL or other == NULL:
        return Fragment(this=f"CAST(NULL AS {other if one == NULL else one})")
    wanted = common(one if arrays[0] else f"{one}[]", other if arrays[1] else f"{other}[]")
    if wanted is None:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(one)} || {trino_type(other)}")
    if not all(arrays):
        one, other = (one, f"{other}[]") if arrays[0] else (f"{one}[]", other)
        left, right = (left, f"[{right}]") if arrays[0] else (f"[{left}]", right)
    return Fragment(this=f"({coerce(left, one, wanted)} || {coerce(right, other, wanted)})")
