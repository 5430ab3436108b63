"""Trino's aggregate and window functions in DuckDB. Approximations are exact here, which is within their bounds."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import time_type
from infra.localcloud.athena.translator import decimals
from infra.localcloud.athena.translator.calls import SUFFIX, FunctionCall, Translation, suffix, translation
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.functions_map import map_types
from infra.localcloud.athena.types import INTEGERS, REALS, decimal_size, kind, trino_type


def _aggregate(written: str, *kinds: str) -> Translation:
    """An entry in whose template ``{0}`` is the first argument with its DISTINCT and ORDER BY."""

    def handler(call: FunctionCall) -> exp.Expr:
        call.require(*kinds)
        return Fragment(this=written.format(_first(call), *[call[index] for index in range(1, len(call.args))]))

    return Translation(len(kinds), len(kinds), handler)


def _first(call: FunctionCall) -> str:
    return ("DISTINCT " if call.distinct else "") + call[0] + call.order


@translation(0, 1)
def _count(call: FunctionCall) -> Fragment:
    if not call.args or isinstance(call.args[0], exp.Star):
        return Fragment(this="count(*)")
    return Fragment(this=f"count({_first(call)})")


@translation(1)
def _count_if(call: FunctionCall) -> Fragment:
    """DuckDB's count_if is null over no rows."""
    call.require("boolean")
    return Fragment(this=f"count({'DISTINCT ' if call.distinct else ''}CASE WHEN {call[0]} THEN 1 END)")


@translation(1)
def _sum(call: FunctionCall) -> Fragment:
    call.require("number")
    return Fragment(this=f"sum({_first(call)})")


@translation(1)
def _average(call: FunctionCall) -> Fragment:
    """The mean of decimals has their type, and is rounded half away from zero."""
    call.require("number")
    found = call.known_type(0)
    size = decimal_size(found)
    if size is None:
        return Fragment(this=f"avg({_first(call)})")
    total = decimals.unscaled(f"sum({_first(call)}){SUFFIX}", 38, size[1])
    return Fragment(this=decimals.scaled(f"trino_mean({total}, count({_first(call)}){SUFFIX})", *size))


def _extreme(name: str) -> Translation:
    """Min and max, also of the n least or greatest values; NaN loses against every number."""

    def handler(call: FunctionCall) -> Fragment:
        found = call.known_type(0)
        if kind(found) == "map":
            raise QueryError(f"FUNCTION_NOT_FOUND: {name} of {trino_type(found)}")
        if len(call.args) == 2:
            number = "ASC" if name == "min" else "DESC"
            listed = f"list({call[0]} ORDER BY {call[0]} {number}){suffix(f'{call[0]} IS NOT NULL')}"
            return Fragment(this=f"{listed}[:{call[1]}]")
        if found in REALS and name == "max":
            number = f"max(CASE WHEN NOT isnan({call[0]}) THEN {call[0]} END){SUFFIX}"
            return Fragment(this=f"coalesce({number}, max({call[0]}){SUFFIX})")
        return Fragment(this=f"{name}({_first(call)})")

    return Translation(1, 2, handler)


def _extreme_by(name: str, direction: str) -> Translation:
    """max_by and min_by, also of the n greatest or least."""

    def handler(call: FunctionCall) -> Fragment:
        if len(call.args) == 2:
            return Fragment(this=f"{name}({call[0]}, {call[1]})")
        listed = f"list({call[0]} ORDER BY {call[1]} {direction}){suffix(f'{call[1]} IS NOT NULL')}"
        return Fragment(this=f"{listed}[:{call[2]}]")

    return Translation(2, 3, handler)


def _entries(call: FunctionCall) -> str:
    entry = f"{{'key': {call[0]}, 'value': {call[1]}}}"
    return f"list({entry}{call.order}){suffix(f'{call[0]} IS NOT NULL')}"


@translation(2)
def _map_agg(call: FunctionCall) -> Fragment:
    return Fragment(this=f"trino_first_map({_entries(call)})")


@translation(2)
def _multimap_agg(call: FunctionCall) -> Fragment:
    return Fragment(this=f"trino_multimap({_entries(call)})")


@translation(1)
def _map_union(call: FunctionCall) -> Fragment:
    map_types(call)
    return Fragment(this=f"trino_first_map(flatten(list(map_entries({call[0]})){suffix(f'{call[0]} IS NOT NULL')}))")


@translation(1)
def _histogram(call: FunctionCall) -> Fragment:
    return Fragment(this=f"CAST(histogram({call[0]}){SUFFIX} AS MAP({call.known_type(0)}, BIGINT))")


@translation(2)
def _approx_percentile(call: FunctionCall) -> Fragment:
    call.require("number", "any")
    if call.known_type(1).endswith("[]"):
        return Fragment(this=f"quantile_disc({call[0]}, CAST({call[1]} AS DOUBLE[]))")
    return Fragment(this=f"quantile_disc({call[0]}, CAST({call[1]} AS DOUBLE))")


@translation(1, 2)
def _listagg(call: FunctionCall) -> Fragment:
    call.require("varchar")
    separator = call[1] if len(call.args) == 2 else "''"
    if call.distinct:
        raise UnsupportedError("listagg of DISTINCT values")
    return Fragment(this=f"trino_listagg(string_agg({call[0]}, {separator}{call.order}){SUFFIX})")


@translation(1)
def _geometric_mean(call: FunctionCall) -> Fragment:
    call.require("number")
    return Fragment(this=f"exp(avg(trino_ln(CAST({call[0]} AS DOUBLE))){SUFFIX})")


def _finite(name: str) -> Translation:
    """A statistic that is null where it is not a finite number; DuckDB's is NaN, for example of equal values."""

    def handler(call: FunctionCall) -> Fragment:
        call.require("number", "number")
        return Fragment(this=f"trino_finite({name}({call[0]}, {call[1]}){SUFFIX})")

    return Translation(2, 2, handler)


def narrowing(name: str, argument: str | None) -> str | None:
    """Finds the type of an aggregate's result where DuckDB's is wider than Trino's.

    The cast to it goes around the aggregate with its FILTER and OVER.

    Args:
        name: The aggregate's name.
        argument: The DuckDB type of its first argument.

    Returns:
        Trino's type in DuckDB's words; None if the two agree.
    """
    if name == "sum" and argument in INTEGERS:
        return "BIGINT"
    if name in ("sum", "avg") and argument == "FLOAT":
        return "FLOAT"
    return None


def _window(name: str, min_args: int, max_args: int) -> Translation:
    return Translation(min_args, max_args, lambda call: Fragment(this=f"{name}({call.all_args()})"))


@translation(1, 3)
def _offset(call: FunctionCall) -> Fragment:
    """Lag and lead."""
    if len(call.args) > 1 and call.args[1].sql().startswith("-"):
        raise QueryError("INVALID_FUNCTION_ARGUMENT: Offset must be at least 0")
    default = f", CAST({call[2]} AS {call.known_type(0)})" if len(call.args) == 3 else ""
    if default and time_type(call.type(0)) and call.type(0) != call.type(2):
        raise UnsupportedError(f"{call.name} with a default of another type", "Cast the default.")
    return Fragment(this=f"{call.name}({', '.join(call[index] for index in range(min(2, len(call.args))))}{default})")


AGGREGATES: dict[str, Translation] = {
    "count": _count,
    "sum": _sum,
    "avg": _average,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "count_if": _count_if,
    "bool_and": _aggregate("bool_and({0})", "boolean"),
    "every": _aggregate("bool_and({0})", "boolean"),
    "bool_or": _aggregate("bool_or({0})", "boolean"),
    "arbitrary": _aggregate("any_value({0})", "any"),
    "any_value": _aggregate("any_value({0})", "any"),
    "max_by": _extreme_by("arg_max_null", "DESC"),
    "min_by": _extreme_by("arg_min_null", "ASC"),
    "array_agg": _aggregate("list({0})", "any"),
    "map_agg": _map_agg,
    "multimap_agg": _multimap_agg,
    "map_union": _map_union,
    "histogram": _histogram,
    "listagg": _listagg,
    "geometric_mean": _geometric_mean,
    "bitwise_and_agg": _aggregate("bit_and(CAST({0} AS BIGINT))", "number"),
    "bitwise_or_agg": _aggregate("bit_or(CAST({0} AS BIGINT))", "number"),
    "approx_distinct": Translation(1, 2, lambda call: Fragment(this=f"count(DISTINCT {call[0]})")),
    "approx_percentile": _approx_percentile,
    "stddev": _aggregate("stddev_samp({0})", "number"),
    "stddev_samp": _aggregate("stddev_samp({0})", "number"),
    "stddev_pop": _aggregate("stddev_pop({0})", "number"),
    "variance": _aggregate("var_samp({0})", "number"),
    "var_samp": _aggregate("var_samp({0})", "number"),
    "var_pop": _aggregate("var_pop({0})", "number"),
    "corr": _finite("corr"),
    "covar_pop": _aggregate("covar_pop({0}, {1})", "number", "number"),
    "covar_samp": _aggregate("covar_samp({0}, {1})", "number", "number"),
    "regr_slope": _finite("regr_slope"),
    "regr_intercept": _finite("regr_intercept"),
}


WINDOWS: dict[str, Translation] = {
    **{name: _window(name, 0, 0) for name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist")},
    **{name: _window(name, 1, 1) for name in ("ntile", "first_value", "last_value")},
    **dict.fromkeys(("lag", "lead"), _offset),
    "nth_value": _window("nth_value", 2, 2),
}
