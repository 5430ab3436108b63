"""Trino's functions of arrays and maps in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment


@translation(1)
def _cardinality(call: FunctionCall) -> Fragment:
    return call.fill("CAST(cardinality({0}) AS BIGINT)" if call.is_map(0) else "CAST(len({0}) AS BIGINT)")


@translation(2)
def _element_at(call: FunctionCall) -> Fragment:
    call.known_type(0)
    return call.fill("{0}[{1}]" if call.is_map(0) else "list_extract({0}, trino_nonzero_index({1}))")


@translation(2, 3)
def _sequence(call: FunctionCall) -> Fragment:
    call.require("number")
    step = call[2] if len(call.args) == 3 else f"CASE WHEN {call[0]} <= {call[1]} THEN 1 ELSE -1 END"
    return Fragment(this=f"generate_series({call[0]}, {call[1]}, {step})")


_A, _M = "array", "map"
TABLE: dict[str, Translation] = {
    "cardinality": _cardinality,
    "element_at": _element_at,
    "sequence": _sequence,
    "contains": template("trino_contains({0}, {1})", _A, "any"),
    "array_max": template("trino_array_max({0})", _A),
    "array_min": template("trino_array_min({0})", _A),
    "array_position": template("trino_array_position({0}, {1})", _A, "any"),
    "array_sort": template("list_sort({0}, 'ASC', 'NULLS LAST')", _A),
    "flatten": template("flatten({0})", _A),
    "transform": template("list_transform({0}, {1})", _A, "any"),
    "filter": template("list_filter({0}, {1})", _A, "any"),
    "map": template("map({0}, {1})", _A, _A),
    "map_keys": template("map_keys({0})", _M),
    "map_values": template("map_values({0})", _M),
}
