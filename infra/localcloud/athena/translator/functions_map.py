"""Trino's functions of maps in DuckDB. Where Trino promises no order of the entries, they keep their first one."""

from __future__ import annotations

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import operators
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import coerce, common
from infra.localcloud.athena.translator.comparisons import comparable
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.translator.functions_array import inner_name
from infra.localcloud.athena.types import kind, split_top, struct_fields, trino_type


def map_types(call: FunctionCall, index: int = 0) -> tuple[str, str]:
    """Returns the types of a map argument's keys and values.

    Raises:
        QueryError: The argument is no map.
    """
    call.require(*(["any"] * index), "map", "any")
    key, value = split_top(call.known_type(index)[4:-1])
    return key, value


def _body(call: FunctionCall, index: int, *places: str) -> str:
    """The body of a lambda argument, with an expression in place of each parameter."""
    meta = call.args[index].meta
    if "body" not in meta or len(meta["parameters"]) != len(places):
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}: a lambda is needed")
    body = str(meta["body"])
    for parameter, place in zip(meta["parameters"], places, strict=True):
        body = body.replace(parameter, place)
    return body


def _entry(call: FunctionCall, index: int = 1) -> str:
    """The name of the variable that holds an entry in place of a lambda's parameters."""
    parameters = call.args[index].meta.get("parameters")
    if not parameters:
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}: a lambda is needed")
    return inner_name(parameters[0], "entry")


@translation(2)
def _element_at(call: FunctionCall) -> Fragment:
    found = call.known_type(0)
    if kind(found) == "map":
        return Fragment(this=f"{call[0]}[{bracketed(operators.map_key(call.args[1], found, call.scope))}]")
    call.require("array", "number")
    return call.fill("list_extract({0}, trino_nonzero_index({1}))")


@translation(0, 2)
def _map(call: FunctionCall) -> Fragment:
    if not call.args:
        return Fragment(this="MAP {}")
    call.require("array", "array")
    if len(call.args) != 2:
        raise QueryError("FUNCTION_NOT_FOUND: map() or map(array, array)")
    return call.fill("trino_map({0}, {1})")


@translation(1)
def _map_from_entries(call: FunctionCall) -> Fragment:
    found = call.known_type(0)
    if not found.endswith("[]") or kind(found[:-2]) != "row" or len(struct_fields(found[:-2])) != 2:
        raise QueryError(f"FUNCTION_NOT_FOUND: map_from_entries of {trino_type(found)}")
    return call.fill("trino_map_from_rows({0})")


@translation(1)
def _multimap_from_entries(call: FunctionCall) -> Fragment:
    found = call.known_type(0)
    if not found.endswith("[]") or kind(found[:-2]) != "row" or len(struct_fields(found[:-2])) != 2:
        raise QueryError(f"FUNCTION_NOT_FOUND: multimap_from_entries of {trino_type(found)}")
    entries = "list_transform({0}, lambda e: {{'key': struct_extract_at(e, 1), 'value': struct_extract_at(e, 2)}})"
    return call.fill(f"trino_multimap({entries})")


@translation(1)
def _map_entries(call: FunctionCall) -> Fragment:
    map_types(call)
    return call.fill("list_transform(map_entries({0}), lambda e: row(e.key, e.value))")


@translation(1, MANY)
def _map_concat(call: FunctionCall) -> Fragment:
    types = [call.known_type(index) for index in range(len(call.args))]
    wanted = types[0]
    for index, found in enumerate(types):
        map_types(call, index)
        comparable(wanted, found, "map_concat")
        wanted = common(wanted, found) or wanted
    entries = " || ".join(f"map_entries({coerce(call[index], found, wanted)})" for index, found in enumerate(types))
    return Fragment(this=f"trino_last_map({entries})")


@translation(2)
def _map_filter(call: FunctionCall) -> Fragment:
    map_types(call)
    entry = _entry(call)
    body = _body(call, 1, f"{entry}.key", f"{entry}.value")
    return Fragment(this=f"map_from_entries(list_filter(map_entries({call[0]}), lambda {entry}: {body}))")


@translation(2)
def _transform_keys(call: FunctionCall) -> Fragment:
    map_types(call)
    entry = _entry(call)
    made = f"{{'key': {_body(call, 1, f'{entry}.key', f'{entry}.value')}, 'value': {entry}.value}}"
    return Fragment(this=f"trino_map_of(list_transform(map_entries({call[0]}), lambda {entry}: {made}))")


@translation(2)
def _transform_values(call: FunctionCall) -> Fragment:
    map_types(call)
    entry = _entry(call)
    made = f"{{'key': {entry}.key, 'value': {_body(call, 1, f'{entry}.key', f'{entry}.value')}}}"
    return Fragment(this=f"map_from_entries(list_transform(map_entries({call[0]}), lambda {entry}: {made}))")


@translation(3)
def _map_zip_with(call: FunctionCall) -> Fragment:
    first, second = map_types(call)[0], map_types(call, 1)[0]
    if first != second:
        raise UnsupportedError("map_zip_with of maps whose keys have different types")
    key = _entry(call, 2)
    body = _body(call, 2, key, f"{call[0]}[{key}]", f"{call[1]}[{key}]")
    keys = f"trino_array_union(map_keys({call[0]}), map_keys({call[1]}))"
    return Fragment(this=f"map_from_entries(list_transform({keys}, lambda {key}: {{'key': {key}, 'value': {body}}}))")


_M = "map"
TABLE: dict[str, Translation] = {
    "element_at": _element_at,
    "map": _map,
    "map_from_entries": _map_from_entries,
    "multimap_from_entries": _multimap_from_entries,
    "map_entries": _map_entries,
    "map_concat": _map_concat,
    "map_filter": _map_filter,
    "transform_keys": _transform_keys,
    "transform_values": _transform_values,
    "map_zip_with": _map_zip_with,
    "map_keys": template("map_keys({0})", _M),
    "map_values": template("map_values({0})", _M),
}
