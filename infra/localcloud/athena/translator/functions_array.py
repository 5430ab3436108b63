"""Trino's functions of arrays in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import casts, functions_text
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import NULL, coerce, common
from infra.localcloud.athena.translator.comparisons import comparable, equal
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.types import REALS, kind, trino_name

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
        raise UnsupportedError(f"{call.name} of an array of {trino_name(found)}")
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
    return call.fill("CAST(cardinality({0}) AS BIGINT)" if call.is_map(0) else "CAST(len({0}) AS BIGINT)")


def _searching(plain: str, nested: str | None) -> Translation:
    """A function that searches an element."""

    def handler(call: FunctionCall) -> Fragment:
        element, wanted = element_type(call), call.known_type(1)
        comparable(element, wanted, call.name)
        if kind(element) not in _NESTED:
            value = coerce(call[1], wanted, element) if kind(element) == "time" else call[1]
            return Fragment(this=plain.format(call[0], value))
        if nested is None or element != wanted:
            raise UnsupportedError(f"{call.name} of an array of {trino_name(element)}")
        return Fragment(this=nested.format(call[0], equal("nj_e", call[1], element, 1)))

    return Translation(2, 2, handler)


@translation(2, 3)
def _array_join(call: FunctionCall) -> Fragment:
    element = element_type(call)
    if kind(element) in (*_NESTED, "binary"):
        raise QueryError(f"FUNCTION_NOT_FOUND: array_join of {trino_name(call.known_type(0))}")
    texts = call[0]
    if element not in ("VARCHAR", NULL):
        texts = f"list_transform({texts}, lambda e: {casts.to_varchar(Fragment(this='e'), element).args['this']})"
    if len(call.args) == 3:
        texts = f"list_transform({texts}, lambda nj_e: coalesce(nj_e, {call[2]}))"
    return Fragment(this=f"trino_joined({texts}, {call[1]})")


@translation(1, 2)
def _array_sort(call: FunctionCall) -> Fragment:
    element_type(call)
    if len(call.args) == 1:
        return call.fill("list_sort({0}, 'ASC', 'NULLS LAST')")
    body, (first, second) = call.args[1].meta["body"], call.args[1].meta["parameters"]
    order, mine, other = f"trino_comparator({body})", inner_name(first, "i"), inner_name(first, "j")
    before = f"{order} < 0 OR ({order} = 0 AND {other} < {mine})"
    rank = f"len(list_filter({call[0]}, lambda {first}, {other}: {before}))"
    ranked = f"list_transform({call[0]}, lambda {second}, {mine}: {{'r': {rank}, 'x': {second}}})"
    return Fragment(this=f"list_transform(list_sort({ranked}), lambda e: e.x)")


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
def _concat(call: FunctionCall) -> Fragment:
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
def _reverse(call: FunctionCall) -> Fragment:
    return call.fill("list_reverse({0})") if call.is_array(0) else functions_text.TABLE["reverse"].handler(call)


@translation(1)
def _distinct(call: FunctionCall) -> Fragment:
    _simple_element(call)
    return call.fill("trino_array_distinct({0})")


_A, _N = "array", "number"
TABLE: dict[str, Translation] = {
    "cardinality": _cardinality,
    "array_join": _array_join,
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

# The text that fails in a CAST must depend on a value, otherwise DuckDB computes it while it plans the query.
MACROS = r"""
CREATE MACRO trino_failing(condition, message, value) AS CASE WHEN condition
    THEN CAST(message || substr(CAST(value AS VARCHAR), 1000) AS BIGINT) ELSE value END;
CREATE MACRO trino_nonzero_index(i) AS
    trino_failing(i = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1', i);
CREATE MACRO trino_subscript_problem(i, size) AS CASE WHEN i = 0 THEN 'SQL array indices start at 1'
    WHEN i < 0 THEN 'Array subscript is negative: ' || CAST(i AS VARCHAR)
    ELSE 'Array subscript must be less than or equal to array length: ' || CAST(i AS VARCHAR) || ' > '
        || CAST(size AS VARCHAR) END;
CREATE MACRO trino_subscript(a, i) AS a[CASE WHEN i <= 0 OR i > len(a)
    THEN CAST('INVALID_FUNCTION_ARGUMENT: ' || trino_subscript_problem(i, len(a)) AS BIGINT) ELSE i END];
CREATE MACRO trino_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN true
    WHEN len(a) > list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_array_max(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_min(a) END;
CREATE MACRO trino_numbers(a) AS list_filter(a, lambda nj_x: NOT isnan(nj_x));
CREATE MACRO trino_array_max_real(a) AS CASE WHEN len(a) > list_count(a) THEN NULL
    ELSE coalesce(list_max(trino_numbers(a)), list_max(a)) END;
CREATE MACRO trino_array_min_real(a) AS CASE WHEN len(a) > list_count(a) THEN NULL
    ELSE coalesce(list_min(trino_numbers(a)), list_min(a)) END;
CREATE MACRO trino_array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE CAST(coalesce(list_position(a, x), 0) AS BIGINT) END;
CREATE MACRO trino_array_remove(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE list_filter(a, lambda nj_e: nj_e IS NULL OR nj_e <> x) END;
CREATE MACRO trino_joined(a, s) AS CASE WHEN a IS NULL OR s IS NULL THEN NULL
    ELSE coalesce(array_to_string(a, s), '') END;
CREATE MACRO trino_comparator(v) AS CASE WHEN v IN (-1, 0, 1) THEN v ELSE CAST(
    'INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1: ' || coalesce(CAST(v AS VARCHAR), 'null')
    AS INTEGER) END;
CREATE MACRO trino_is_first(a, x, i) AS CASE WHEN x IS NULL THEN list_count(a[1:i - 1]) = i - 1
    ELSE list_position(a, x) = i END;
CREATE MACRO trino_array_distinct(a) AS CASE WHEN len(list_distinct(a)) = len(a) THEN a
    ELSE list_filter(a, lambda nj_x, nj_i: trino_is_first(a, nj_x, nj_i)) END;
CREATE MACRO trino_has(a, x) AS CASE WHEN x IS NULL THEN len(a) > list_count(a) ELSE list_contains(a, x) END;
CREATE MACRO trino_array_union(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE trino_array_distinct(a || b) END;
CREATE MACRO trino_array_common(a, b) AS trino_array_distinct(list_filter(a, lambda nj_x: trino_has(b, nj_x)));
CREATE MACRO trino_array_intersect(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN len(a) < len(b) THEN trino_array_common(b, a) ELSE trino_array_common(a, b) END;
CREATE MACRO trino_array_except(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE trino_array_distinct(list_filter(a, lambda nj_x: NOT trino_has(b, nj_x))) END;
CREATE MACRO trino_arrays_overlap(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN list_has_any(list_filter(a, lambda nj_x: nj_x IS NOT NULL), b) THEN true
    WHEN len(a) = 0 OR len(b) = 0 THEN false
    WHEN len(a) > list_count(a) OR len(b) > list_count(b) THEN NULL ELSE false END;
CREATE MACRO trino_from_end(a, i) AS CASE WHEN i < 0 THEN len(a) + i + 1 ELSE i END;
CREATE MACRO trino_slice(a, i, n) AS CASE WHEN a IS NULL OR i IS NULL OR n IS NULL THEN NULL
    WHEN trino_fine(i = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' || substr(CAST(i AS VARCHAR), 99))
     AND trino_fine(n < 0, 'INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0'
        || substr(CAST(n AS VARCHAR), 99))
    THEN CASE WHEN trino_from_end(a, i) < 1 OR n = 0 THEN a[1:0]
        ELSE a[trino_from_end(a, i):trino_from_end(a, i) + n - 1] END END;
CREATE MACRO trino_trim_array(a, n) AS CASE
    WHEN trino_fine(n < 0, 'INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || CAST(n AS VARCHAR))
     AND trino_fine(n > len(a), 'INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality '
        || CAST(len(a) AS VARCHAR) || ': ' || CAST(n AS VARCHAR))
    THEN CASE WHEN n IS NULL THEN NULL WHEN n = len(a) THEN a[1:0] ELSE a[1:len(a) - n] END END;
CREATE MACRO trino_repeat(x, n) AS CASE
    WHEN trino_fine(n > 10000,
        'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000'
        || substr(CAST(n AS VARCHAR), 99))
     AND trino_fine(n < 0,
        'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0'
        || substr(CAST(n AS VARCHAR), 99))
    THEN CASE WHEN n IS NOT NULL THEN list_transform(generate_series(1, n), lambda nj_k: x) END END;
CREATE MACRO trino_ngrams(a, n) AS CASE
    WHEN trino_fine(n <= 0, 'INVALID_FUNCTION_ARGUMENT: N must be positive: ' || CAST(n AS VARCHAR))
    THEN CASE WHEN a IS NULL OR n IS NULL THEN NULL WHEN n >= len(a) THEN [a]
        ELSE list_transform(generate_series(1, len(a) - n + 1), lambda nj_k: a[nj_k:nj_k + n - 1]) END END;
"""
