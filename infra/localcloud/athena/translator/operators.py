"""Trino's operators in DuckDB: the signs agree; divisions, NaN, text and times behave differently by type."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.translator.types import INTEGERS, REALS, kind

COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_INTERVALS = {
    "second": "seconds",
    "minute": "minutes",
    "hour": "hours",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "year": "years",
}


def comparable(left: str | None, right: str | None, sign: str) -> None:
    """Checks that Trino can compare two types: it does not convert between text and numbers or dates.

    Args:
        left: A DuckDB type; None if it is not known.
        right: Another.
        sign: The operator or construct, for the error.

    Raises:
        QueryError: Trino has no such operator.
    """
    if left is None or right is None:
        return
    kinds = {kind(left), kind(right)} - {"null"}
    if len(kinds) > 1:
        raise QueryError(
            f"TYPE_MISMATCH: Cannot apply operator: {left.lower()} {sign} {right.lower()}. Cast one of them"
        )


def boolean(node: exp.Expr, scope: Scope, where: str) -> None:
    """Checks that an expression is boolean.

    Raises:
        QueryError: It is not.
    """
    found = scope.type_of(node)
    if found is not None and kind(found) not in ("boolean", "null"):
        raise QueryError(f"TYPE_MISMATCH: {where} must be boolean, not {found.lower()}: {text(node)}")


def compare(node: exp.Binary, scope: Scope) -> exp.Expr:
    """Translates a comparison. In Trino NaN equals nothing and is never greater; DuckDB sorts it above all numbers."""
    sign = COMPARISONS[type(node)]
    left, right = node.this, node.expression
    types = scope.type_of(left), scope.type_of(right)
    if not isinstance(right, (exp.Query, exp.Any, exp.All)):
        comparable(*types, sign)
    doubtful = [
        side
        for side, found in zip((left, right), types, strict=True)
        if found in REALS and not isinstance(side, exp.Literal)
    ]
    if not doubtful or isinstance(right, (exp.Any, exp.All)):
        return node
    nan = " OR ".join(f"isnan({bracketed(side)})" for side in doubtful)
    return fragment(
        f"(CASE WHEN {{0}} IS NULL OR {{1}} IS NULL THEN NULL WHEN {nan} THEN {'true' if sign == '<>' else 'false'} "
        f"ELSE {{0}} {sign} {{1}} END)",
        left,
        right,
    )


def between(node: exp.Between, scope: Scope) -> exp.Expr:
    """Translates BETWEEN; NaN is between no two numbers."""
    found = scope.type_of(node.this)
    for bound in ("low", "high"):
        comparable(found, scope.type_of(node.args[bound]), "BETWEEN")
    if found in REALS:
        return fragment("(NOT isnan({0}) AND {0} BETWEEN {1} AND {2})", node.this, node.args["low"], node.args["high"])
    return node


def interval(node: exp.Interval) -> Fragment:
    """Translates ``interval '2' day``.

    Raises:
        UnsupportedError: It is a range such as ``'1 2' day to hour``.
    """
    unit = str(node.args["unit"].name if node.args.get("unit") else "").lower()
    value = node.this.this if isinstance(node.this, exp.Literal) else None
    if unit not in _INTERVALS or value is None or not value.lstrip("+-").isdigit():
        raise UnsupportedError(f"the interval {node.sql(dialect='trino')}")
    return Fragment(this=f"to_{_INTERVALS[unit]}({value})")


def arithmetic(node: exp.Binary, scope: Scope) -> exp.Expr:
    """Translates + - * / % with Trino's types and errors: division of whole numbers by zero fails.

    Raises:
        QueryError: Trino has no such operator.
        UnsupportedError: The result would differ from Trino's.
    """
    sign = ARITHMETIC[type(node)]
    left, right = node.this, node.expression
    types = scope.type_of(left), scope.type_of(right)
    kinds = tuple(kind(found) if found else None for found in types)
    if "time" in kinds or "interval" in kinds:
        return _move(node, sign, types, kinds)
    for found in kinds:
        if found not in (None, "number", "null"):
            operands = f"{types[0]} {sign} {types[1]}".lower()
            raise QueryError(f"TYPE_MISMATCH: cannot apply operator: {operands}")
    if sign in "+-*":
        return node
    if None in types:
        raise UnsupportedError(
            f"{text(left)} {sign} {text(right)}",
            "The types of the operands are not known here, or a name in them is wrong.",
        )
    if any(found in REALS for found in types):
        if sign == "/":
            quotient = fragment("trino_real_div(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))", left, right)
            return quotient if "DOUBLE" in types else fragment("CAST({0} AS FLOAT)", quotient)
        raise UnsupportedError("% of doubles", "Cast the operands to whole numbers or decimals.")
    if all(found in INTEGERS or found == '"NULL"' for found in types):
        return fragment("({0} // trino_nonzero({1}))" if sign == "/" else "({0} % trino_nonzero({1}))", left, right)
    if sign == "/":
        raise UnsupportedError(
            "a division of decimals",
            "Trino rounds it to the operands' scale: cast one of them to double (1.5 is a decimal, 1.5e0 a double).",
        )
    return fragment("({0} % trino_nonzero({1}))", left, right)


def _move(node: exp.Binary, sign: str, types: tuple[str | None, str | None], kinds: tuple[str | None, ...]) -> exp.Expr:
    if sign in "+-" and kinds == ("time", "interval"):
        value, step, found = node.this, node.expression, types[0]
    elif sign == "+" and kinds == ("interval", "time"):
        value, step, found = node.expression, node.this, types[1]
    elif kinds == ("time", "time") and sign == "-":
        raise UnsupportedError("the difference of two times as an interval", "Use date_diff(unit, earlier, later).")
    else:
        raise QueryError(
            f"TYPE_MISMATCH: Cannot apply operator: {str(types[0]).lower()} {sign} {str(types[1]).lower()}"
        )
    if found == "DATE" and any(word in text(step) for word in ("to_hours", "to_minutes", "to_seconds")):
        raise QueryError("TYPE_MISMATCH: Cannot add hour, minutes or seconds to a date")
    return Fragment(this=f"CAST({bracketed(value)} {sign} {bracketed(step)} AS {found})")


def concatenation(node: exp.DPipe, scope: Scope) -> exp.Expr:
    """Translates ``||`` of two texts, arrays or binaries: null if one of them is."""
    types = scope.type_of(node.this), scope.type_of(node.expression)
    for found in types:
        if found is not None and kind(found) not in ("varchar", "array", "binary", "null"):
            raise QueryError(
                f"TYPE_MISMATCH: Cannot apply operator: {str(types[0]).lower()} || {str(types[1]).lower()}."
                " Cast to varchar"
            )
    comparable(*types, "||")
    written = fragment("({0} || {1})", node.this, node.expression)
    if types == ("VARCHAR", "VARCHAR"):
        scope.remember(written, "VARCHAR")  # a chain of n concatenations would be bound n times
    return written


def subscript(node: exp.Bracket, scope: Scope) -> Fragment:
    """Translates ``a[1]``, which fails outside the array, and ``m['k']``, which fails without the key."""
    found = scope.type_of(node.this)
    if found is None or len(node.expressions) != 1:
        raise UnsupportedError(f"{text(node.this)}[…]", "The type of the value is not known here.")
    if kind(found) == "array":
        return fragment("trino_subscript({0}, {1})", node.this, node.expressions[0])
    if kind(found) == "map":
        return fragment("trino_map_subscript({0}, {1})", node.this, node.expressions[0])
    raise UnsupportedError(f"a subscript of {found.lower()}", "Name a row's field with a dot.")


def branches(nodes: list[exp.Expr], scope: Scope, what: str) -> None:
    """Checks that all results of a CASE, IF or ARRAY are of one kind."""
    types = [scope.type_of(node) for node in nodes]
    known = [found for found in types if found not in (None, '"NULL"')]
    for found in known[1:]:
        comparable(known[0], found, what)
