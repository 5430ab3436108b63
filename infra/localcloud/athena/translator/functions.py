"""Trino's scalar functions in DuckDB.

A function that is in no table is refused: one that merely has the same name in DuckDB often answers differently
(greatest, concat, split_part and regexp_extract with nulls or without a match).
"""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.translator import (
    comparisons,
    functions_array,
    functions_binary,
    functions_json,
    functions_map,
    functions_number,
    functions_regex,
    functions_row,
    functions_text,
    functions_time,
    functions_url,
)
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import unify
from infra.localcloud.athena.translator.concatenation import NEVER_NULL
from infra.localcloud.athena.translator.fragments import Fragment, bracketed


@translation(1, MANY)
def _coalesce(call: FunctionCall) -> Fragment:
    call.require_one_kind()
    written = Fragment(this=f"coalesce({', '.join(map(bracketed, unify(call.args, call.scope)))})")
    written.meta[NEVER_NULL] = isinstance(call.args[-1].unnest(), exp.Literal)
    return written


@translation(2)
def _nullif(call: FunctionCall) -> Fragment:
    call.require_one_kind()
    same = comparisons.compared(call.args[0], call.args[1], "=", (call.known_type(0), call.known_type(1)))
    if same is None:
        return call.fill("nullif({0}, {1})")
    return Fragment(this=f"CASE WHEN {bracketed(same)} THEN NULL ELSE {call[0]} END")


SCALARS: dict[str, Translation] = {
    **functions_text.TABLE,
    **functions_number.TABLE,
    **functions_array.TABLE,
    **functions_map.TABLE,
    **functions_row.TABLE,
    **functions_time.TABLE,
    **functions_regex.TABLE,
    **functions_json.TABLE,
    **functions_binary.TABLE,
    **functions_url.TABLE,
    "array_join": functions_text.ARRAY_JOIN,
    "coalesce": _coalesce,
    "nullif": _nullif,
    "try": template("TRY({0})", "any"),
}
