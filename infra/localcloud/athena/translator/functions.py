"""Trino's scalar functions in DuckDB.

A function that is in no table is refused: one that merely has the same name in DuckDB often answers differently
(greatest, concat, split_part and regexp_extract with nulls or without a match).
"""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.translator import (
    functions_array,
    functions_binary,
    functions_json,
    functions_number,
    functions_regex,
    functions_text,
    functions_time,
    functions_url,
)
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.translator.types import REALS


def _extreme(name: str) -> Translation:
    """Greatest and least are null as soon as one argument is; NaN fails, because DuckDB sorts it above all numbers."""

    def handler(call: FunctionCall) -> Fragment:
        call.require_one_kind()
        null = " OR ".join(f"{bracketed(argument)} IS NULL" for argument in call.args)
        maybe_nan = []
        if any(call.type(index) in (*REALS, None) for index in range(len(call.args))):
            maybe_nan = [bracketed(argument) for argument in call.args if not isinstance(argument, exp.Literal)]
        if not maybe_nan:
            return Fragment(this=f"CASE WHEN {null} THEN NULL ELSE {name}({call.all_args()}) END")
        nan = " OR ".join(f"CAST({argument} AS VARCHAR) = 'nan'" for argument in maybe_nan)
        failing = f"CAST('{name} of NaN is not answered by the local cloud: ' || CAST({call[0]} AS VARCHAR) AS TINYINT)"
        return Fragment(this=f"CASE WHEN {null} THEN NULL WHEN {nan} THEN {failing} ELSE {name}({call.all_args()}) END")

    return Translation(1, MANY, handler)


@translation(1, MANY)
def _coalesce(call: FunctionCall) -> Fragment:
    call.require_one_kind()
    return Fragment(this=f"coalesce({call.all_args()})")


@translation(2)
def _nullif(call: FunctionCall) -> Fragment:
    call.require_one_kind()
    return call.fill("nullif({0}, {1})")


SCALARS: dict[str, Translation] = {
    **functions_text.TABLE,
    **functions_number.TABLE,
    **functions_array.TABLE,
    **functions_time.TABLE,
    **functions_regex.TABLE,
    **functions_json.TABLE,
    **functions_binary.TABLE,
    **functions_url.TABLE,
    "array_join": functions_text.ARRAY_JOIN,
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "coalesce": _coalesce,
    "nullif": _nullif,
    "try": template("TRY({0})", "any"),
}
