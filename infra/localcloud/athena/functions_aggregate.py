"""Trino's aggregate and window functions in DuckDB. Approximations are answered exactly, which is within their bounds."""

from __future__ import annotations

from sqlglot import exp

from .call import Call, Entry, entry
from .errors import Refused
from .raw import Raw
from .types import INTEGERS

# What an aggregate's result is cast to afterwards (outside its FILTER and OVER), by the type of its first argument.
NARROWED = {"sum", "count_if", "avg"}


def _aggregate(written: str, *kinds: str) -> Entry:
    """``{0}`` is the first argument with its DISTINCT and ORDER BY."""

    def handler(call: Call) -> exp.Expression:
        call.want(*kinds)
        first = ("DISTINCT " if call.distinct else "") + call[0] + call.order
        return Raw(this=written.format(first, *[call[index] for index in range(1, len(call.args))]))

    return Entry(len(kinds), len(kinds), handler)


@entry(0, 1)
def count(call: Call) -> Raw:
    if not call.args or isinstance(call.args[0], exp.Star):
        return Raw(this="count(*)")
    return Raw(this=f"count({'DISTINCT ' if call.distinct else ''}{call[0]})")


@entry(1)
def average(call: Call) -> Raw:
    call.want("number")
    if call.known_type(0).startswith("DECIMAL"):
        raise Refused("avg of a decimal", "Trino rounds it to the decimal's scale: cast the argument to double.")
    return Raw(this=f"avg({'DISTINCT ' if call.distinct else ''}{call[0]})")


@entry(2)
def map_agg(call: Call) -> Raw:
    """Duplicate keys fail in DuckDB; Trino keeps an arbitrary one, which no one should rely on."""
    return call.raw("map(list({0}) FILTER (WHERE {0} IS NOT NULL), list({1}) FILTER (WHERE {0} IS NOT NULL))")


@entry(2)
def approx_percentile(call: Call) -> Raw:
    call.want("number", "any")
    return call.raw("quantile_disc({0}, {1})")


def narrowing(name: str, argument: str | None) -> str | None:
    """The type that Trino gives an aggregate's result where DuckDB's is wider."""
    if name == "count_if" or (name == "sum" and argument in INTEGERS):
        return "BIGINT"
    if name in ("sum", "avg") and argument == "FLOAT":
        return "FLOAT"
    return None


AGGREGATES: dict[str, Entry] = {
    "count": count,
    "sum": _aggregate("sum({0})", "number"),
    "avg": average,
    "min": _aggregate("min({0})", "any"),
    "max": _aggregate("max({0})", "any"),
    "count_if": _aggregate("count_if({0})", "boolean"),
    "bool_and": _aggregate("bool_and({0})", "boolean"),
    "every": _aggregate("bool_and({0})", "boolean"),
    "bool_or": _aggregate("bool_or({0})", "boolean"),
    "arbitrary": _aggregate("any_value({0})", "any"),
    "any_value": _aggregate("any_value({0})", "any"),
    "max_by": _aggregate("arg_max_null({0}, {1})", "any", "any"),
    "min_by": _aggregate("arg_min_null({0}, {1})", "any", "any"),
    "array_agg": _aggregate("list({0})", "any"),
    "map_agg": map_agg,
    "approx_distinct": Entry(1, 2, lambda call: Raw(this=f"count(DISTINCT {call[0]})")),
    "approx_percentile": approx_percentile,
    "stddev": _aggregate("stddev_samp({0})", "number"),
    "stddev_samp": _aggregate("stddev_samp({0})", "number"),
    "stddev_pop": _aggregate("stddev_pop({0})", "number"),
    "variance": _aggregate("var_samp({0})", "number"),
    "var_samp": _aggregate("var_samp({0})", "number"),
    "var_pop": _aggregate("var_pop({0})", "number"),
    "corr": _aggregate("corr({0}, {1})", "number", "number"),
    "covar_pop": _aggregate("covar_pop({0}, {1})", "number", "number"),
    "covar_samp": _aggregate("covar_samp({0}, {1})", "number", "number"),
    "regr_slope": _aggregate("regr_slope({0}, {1})", "number", "number"),
    "regr_intercept": _aggregate("regr_intercept({0}, {1})", "number", "number"),
}


def _window(written: str, least: int, most: int) -> Entry:
    return Entry(least, most, lambda call: Raw(this=f"{written}({', '.join(call[i] for i in range(len(call.args)))})"))


WINDOWS: dict[str, Entry] = {
    **{name: _window(name, 0, 0) for name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist")},
    **{name: _window(name, 1, 1) for name in ("ntile", "first_value", "last_value")},
    **{name: _window(name, 1, 3) for name in ("lag", "lead")},
    "nth_value": _window("nth_value", 2, 2),
}
