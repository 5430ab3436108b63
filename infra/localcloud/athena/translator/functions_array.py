"""Trino's functions of arrays in DuckDB."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import functions_text
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import NULL, coerce, common
from infra.localcloud.athena.translator.comparisons import comparable, equal
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.types import REALS, kind, trino_type

_NESTED = ("array", "map", "row")


def inner_name(parameter: str, name: str) -> str:
    """Makes the name of a variable beside a lambda's parameter; it is as unique as the parameter's."""
    return f'{parameter[:-1]}${name}"'


def element_type(call: FunctionCall, index: int = 0) -> str:
    """Returns the type of an array argument's elements.

    Raises:
        QueryError: The argument is no array.
    """
    call.require(*(["any"] * index), "array", "any")
    found = call.known_type(index)
    return found[:-2] if found.endswith("[]") else NULL


def _simple_element(call: FunctionCall) -> str:
    """The type of the elements, which must not be arrays, maps or rows: DuckDB's equality of those differs."""
    found = element_type(call)
    if kind(found) in _NESTED:
        raise UnsupportedError(f"{call.name} of an array of {trino_type(found)}")
    return found


def _same_arrays(call: FunctionCall) -> list[str]:
    """The array arguments, converted to one type."""
    types = [call.known_type(index) for index in range(len(call.args))]
    for index in range(len(types)):
        _ = element_type(call, index)
    wanted = types[0]
    for found in types[1:]:
        comparable(wanted, found, call.name)
        wanted = common(wanted, found) or wanted
    return [coerce(call[index], found, wanted) for index, found in enumerate(types)]


@translation(1)
def _cardinality(call: FunctionCall) -> Fragment:
    if call.is_map(0):
        return call.fill("CAST(cardinality({0}) AS BIGINT)")
    call.require("array")
    return call.fill("CAST(len({0}) AS BIGINT)")


def _searching(plain: str, nested: str | None) -> Translation:
    """A function that searches an element."""

    def handler(call: FunctionCall) -> Fragment:
        element, wanted = element_type(call), call.known_type(1)
        comparable(element, wanted, call.name)
        if kind(element) not in _NESTED:
            value = coerce(call[1], wanted, element) if kind(element) == "time" else call[1]
            return Fragment(this=plain.format(call[0], value))
        if nested is None or element != wanted:
            raise UnsupportedError(f"{call.name} of an array of {trino_type(element)}")
        return Fragment(this=nested.format(call[0], equal("nj_e", call[1], element, 1)))

    return Translation(2, 2, handler)


@translation(1, 2)
def _array_sort(call: FunctionCall) -> Fragment:
    element_type(call)
    if len(call.args) == 1:
        return call.fill("list_sort({0}, 'ASC', 'NULLS LAST')")
    meta = call.args[1].meta
    if "body" not in meta or len(meta["parameters"]) != 2:
        raise QueryError("FUNCTION_NOT_FOUND: array_sort(array, (x, y) -> …)")
    first, second = meta["parameters"]
    # Inserts each element after those of the sorted ones that it is not less than, as Java's sort does.
    mine, done = inner_name(first, "new"), inner_name(first, "sorted")
    body = meta["body"].replace(first, f"{mine}[1]")
    place = f"len(list_filter({done}, lambda {second}: trino_comparator({body}) >= 0))"
    step = f"lambda {done}, {mine}: {done}[1:{place}] || {mine} || {done}[{place} + 1:]"
    inserted = f"list_reduce(list_prepend({call[0]}[1:0], list_transform({call[0]}, lambda nj_e: [nj_e])), {step})"
    return Fragment(this=f"CASE WHEN {call[0]} IS NULL THEN NULL ELSE {inserted} END")


@translation(3, 4)
def _reduce(call: FunctionCall) -> Fragment:
    element = element_type(call)
    if len(call.args) != 4 or "body" not in call.args[2].meta or "body" not in call.args[3].meta:
        raise QueryError("FUNCTION_NOT_FOUND: reduce(array, state, (state, element) -> …, state -> …)")
    state_type = call.known_type(1)
    step, output = call.args[2].meta, call.args[3].meta
    state, item = step["parameters"]
    left, right = inner_name(state, "a"), inner_name(state, "b")
    body = step["body"].replace(state, f"struct_extract({left}, 's')").replace(item, f"struct_extract({right}, 'x')")
    start = f"{{'s': CAST({call[1]} AS {state_type}), 'x': CAST(NULL AS {element})}}"
    items = f"list_transform({call[0]}, lambda e: {{'s': CAST(NULL AS {state_type}), 'x': e}})"
    stepped = f"lambda {left}, {right}: {{'s': CAST({body} AS {state_type}), 'x': struct_extract({right}, 'x')}}"
    last = f"list_reduce(list_prepend({start}, {items}), {stepped}).s"
    result = f"list_transform([{last}], lambda {output['parameters'][0]}: {output['body']})[1]"
    return Fragment(this=f"CASE WHEN {call[0]} IS NULL THEN NULL ELSE {result} END")


@translation(3)
def _zip_with(call: FunctionCall) -> Fragment:
    element_type(call, 1)
    body, (first, second) = call.args[2].meta["body"], call.args[2].meta["parameters"]
    pair = inner_name(first, "pair")
    body = body.replace(first, f"struct_extract_at({pair}, 1)").replace(second, f"struct_extract_at({pair}, 2)")
    zipped = f"list_transform(list_zip({call[0]}, {call[1]}), lambda {pair}: {body})"
    return Fragment(this=f"CASE WHEN {call[0]} IS NULL OR {call[1]} IS NULL THEN NULL ELSE {zipped} END")


@translation(2, 5)
def _zip(call: FunctionCall) -> Fragment:
    null = " OR ".join(f"{call[index]} IS NULL" for index in range(len(call.args)))
    for index in range(len(call.args)):
        element_type(call, index)
    return Fragment(this=f"CASE WHEN {null} THEN NULL ELSE list_zip({call.all_args()}) END")


def _sets(macro: str) -> Translation:
    """array_intersect, array_union and array_except: without duplicates."""

    def handler(call: FunctionCall) -> Fragment:
        _simple_element(call)
        return Fragment(this=f"{macro}({', '.join(_same_arrays(call))})")

    return Translation(2, 2, handler)


def _extreme(name: str) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        real = _simple_element(call) in REALS
        return call.fill(f"trino_array_{name}{'_real' if real else ''}({{0}})")

    return Translation(1, 1, handler)


@translation(2)
def _combinations(call: FunctionCall) -> Fragment:
    element_type(call)
    size = int(call.literal(1))
    if not 0 <= size <= 5:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: combination size must not be greater than 5: {size}")
    written = "[" + ", ".join(f"{call[0]}[nj_n{level}]" for level in range(1, size + 1)) + "]"
    if size == 0:
        return call.fill("CASE WHEN {0} IS NULL THEN NULL ELSE [{0}[1:0]] END")
    for level in range(1, size + 1):
        below = f"nj_n{level + 1} - 1" if level < size else f"len({call[0]})"
        written = f"list_transform(generate_series(1, {below}), lambda nj_n{level}: {written})"
        written = f"flatten({written})" if level > 1 else written
    return Fragment(this=written)


@translation(2, MANY)
def _concat(call: FunctionCall) -> exp.Expr:
    if not any(call.is_array(index) for index in range(len(call.args))):
        return functions_text.TABLE["concat"].handler(call)
    call = FunctionCall(call.name, [_as_array(call, index) for index in range(len(call.args))], call.scope)
    return Fragment(this="(" + " || ".join(_same_arrays(call)) + ")")


def _as_array(call: FunctionCall, index: int) -> Fragment:
    """The argument, or an array of it if it is an element."""
    found = call.known_type(index)
    element = found == NULL or not found.endswith("[]")
    return Fragment(this=f"[{call[index]}]" if element and found != NULL else call[index])


@translation(1)
def _reverse(call: FunctionCall) -> exp.Expr:
    return call.fill("list_reverse({0})") if call.is_array(0) else functions_text.TABLE["reverse"].handler(call)


@translation(1)
def _distinct(call: FunctionCall) -> Fragment:
    _simple_element(call)
    return call.fill("trino_array_distinct({0})")


_A, _N = "array", "number"
TABLE: dict[str, Translation] = {
    "cardinality": _cardinality,
    "contains": _searching("trino_contains({0}, {1})", "trino_any(list_transform({0}, lambda nj_e: {1}))"),
    "array_position": _searching("trino_array_position({0}, {1})", None),
    "array_remove": _searching("trino_array_remove({0}, {1})", None),
    "array_max": _extreme("max"),
    "array_min": _extreme("min"),
    "array_sort": _array_sort,
    "array_distinct": _distinct,
    "array_union": _sets("trino_array_union"),
    "array_intersect": _sets("trino_array_intersect"),
    "array_except": _sets("trino_array_except"),
    "arrays_overlap": _sets("trino_arrays_overlap"),
    "flatten": template("flatten({0})", _A),
    "transform": template("list_transform({0}, {1})", _A, "any"),
    "filter": template("list_filter({0}, {1})", _A, "any"),
    "any_match": template("trino_any(list_transform({0}, {1}))", _A, "any"),
    "all_match": template("trino_all(list_transform({0}, {1}))", _A, "any"),
    "none_match": template("NOT trino_any(list_transform({0}, {1}))", _A, "any"),
    "reduce": _reduce,
    "zip": _zip,
    "zip_with": _zip_with,
    "slice": template("trino_slice({0}, {1}, {2})", _A, _N, _N),
    "trim_array": template("trino_trim_array({0}, {1})", _A, _N),
    "repeat": template("trino_repeat({0}, {1})", "any", _N),
    "ngrams": template("trino_ngrams({0}, {1})", _A, _N),
    "combinations": _combinations,
    "concat": _concat,
    "reverse": _reverse,
}
