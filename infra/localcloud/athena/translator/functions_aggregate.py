"""Trino's aggregate and window functions in DuckDB. Approximations are exact here, which is within their bounds."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, translation
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.types import INTEGERS


def _aggregate(written: str, *kinds: str) -> Translation:
    """An entry in whose template ``{0}`` is the first argument with its DISTINCT and ORDER BY."""

    def handler(call: FunctionCall) -> exp.Expr:
        call.require(*kinds)
        first = ("DISTINCT " if call.distinct else "") + call[0] + call.order
        return Fragment(this=written.format(first, *[call[index] for index in range(1, len(call.args))]))

    return Translation(len(kinds), len(kinds), handler)


@translation(0, 1)
def _count(call: FunctionCall) -> Fragment:
    if not call.args or isinstance(call.args[0], exp.Star):
        return Fragment(this="count(*)")
    return Fragment(this=f"count({'DISTINCT ' if call.distinct else ''}{call[0]})")


@translation(1)
def _average(call: FunctionCall) -> Fragment:
    call.require("number")
    if call.known_type(0).startswith("DECIMAL"):
        raise UnsupportedError(
            "avg of a decimal", "Trino rounds it to the decimal's scale: cast the argument to double."
        )
    return Fragment(this=f"avg({'DISTINCT ' if call.distinct else ''}{call[0]})")


@translation(2)
def _map_agg(call: FunctionCall) -> Fragment:
    """Duplicate keys fail in DuckDB. Trino keeps an arbitrary one, on which no query should rely."""
    return call.fill("map(list({0}) FILTER (WHERE {0} IS NOT NULL), list({1}) FILTER (WHERE {0} IS NOT NULL))")


@translation(2)
def _approx_percentile(call: FunctionCall) -> Fragment:
    call.require("number", "any")
    return call.fill("quantile_disc({0}, {1})")


def narrowing(name: str, argument: str | None) -> str | None:
    """Finds the type of an aggregate's result where DuckDB's is wider than Trino's.

    The cast to it goes around the aggregate with its FILTER and OVER.

    Args:
        name: The aggregate's name.
        argument: The DuckDB type of its first argument.

    Returns:
        Trino's type in DuckDB's words; None if the two agree.
    """
    if name == "count_if" or (name == "sum" and argument in INTEGERS):
        return "BIGINT"
    if name in ("sum", "avg") and argument == "FLOAT":
        return "FLOAT"
    return None


def _window(name: str, min_args: int, max_args: int) -> Translation:
    return Translation(min_args, max_args, lambda call: Fragment(this=f"{name}({call.all_args()})"))


AGGREGATES: dict[str, Translation] = {
    "count": _count,
    "sum": _aggregate("sum({0})", "number"),
    "avg": _average,
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
    "map_agg": _map_agg,
    "approx_distinct": Translation(1, 2, lambda call: Fragment(this=f"count(DISTINCT {call[0]})")),
    "approx_percentile": _approx_percentile,
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


WINDOWS: dict[str, Translation] = {
    **{name: _window(name, 0, 0) for name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist")},
    **{name: _window(name, 1, 1) for name in ("ntile", "first_value", "last_value")},
    **{name: _window(name, 1, 3) for name in ("lag", "lead")},
    "nth_value": _window("nth_value", 2, 2),
}
