"""Trino's operators in DuckDB: the same signs, but divisions, NaN, text and times behave by type."""

from __future__ import annotations

from sqlglot import exp

from .errors import QueryFailed, Refused
from .raw import Raw, bracketed, raw, text
from .scope import Scope
from .types import INTEGERS, REALS, kind

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
    """Fails where Trino finds no operator: it turns neither numbers nor dates into text, nor text into them."""
    if left is None or right is None:
        return
    kinds = {kind(left), kind(right)} - {"null"}
    if len(kinds) > 1:
        raise QueryFailed(
            f"TYPE_MISMATCH: Cannot apply operator: {left.lower()} {sign} {right.lower()}. Cast one of them"
        )


def boolean(node: exp.Expression, scope: Scope, where: str) -> None:
    found = scope.type_of(node)
    if found is not None and kind(found) not in ("boolean", "null"):
        raise QueryFailed(f"TYPE_MISMATCH: {where} must be boolean, not {found.lower()}: {text(node)}")


def compare(node: exp.Binary, scope: Scope) -> exp.Expression:
    """A comparison; with doubles NaN equals nothing and is not greater (DuckDB sorts it above everything)."""
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
    return raw(
        f"(CASE WHEN {{0}} IS NULL OR {{1}} IS NULL THEN NULL WHEN {nan} THEN {'true' if sign == '<>' else 'false'} "
        f"ELSE {{0}} {sign} {{1}} END)",
        left,
        right,
    )


def between(node: exp.Between, scope: Scope) -> exp.Expression:
    found = scope.type_of(node.this)
    for bound in ("low", "high"):
        comparable(found, scope.type_of(node.args[bound]), "BETWEEN")
    if found in REALS:
        return raw("(NOT isnan({0}) AND {0} BETWEEN {1} AND {2})", node.this, node.args["low"], node.args["high"])
    return node


def interval(node: exp.Interval) -> Raw:
    """``interval '2' day``; a range such as ``'1 2' day to hour`` is refused."""
    unit = str(node.args["unit"].name if node.args.get("unit") else "").lower()
    value = node.this.this if isinstance(node.this, exp.Literal) else None
    if unit not in _INTERVALS or value is None or not value.lstrip("+-").isdigit():
        raise Refused(f"the interval {node.sql(dialect='trino')}")
    return Raw(this=f"to_{_INTERVALS[unit]}({value})")


def arithmetic(node: exp.Binary, scope: Scope) -> exp.Expression:
    """+ - * / % with Trino's types and errors (division by zero fails for whole numbers)."""
    sign = ARITHMETIC[type(node)]
    left, right = node.this, node.expression
    types = scope.type_of(left), scope.type_of(right)
    kinds = tuple(kind(found) if found else None for found in types)
    if "time" in kinds or "interval" in kinds:
        return _move(node, sign, types, kinds)
    for found in kinds:
        if found not in (None, "number", "null"):
            raise QueryFailed(
                f"TYPE_MISMATCH: Cannot apply operator: {types[0]} {sign} {types[1]}".lower().replace(
                    "type_mismatch", "TYPE_MISMATCH"
                )
            )
    if sign in "+-*":
        return node
    if None in types:
        raise Refused(
            f"{text(left)} {sign} {text(right)}",
            "The types of the operands are not known here, or a name in them is wrong.",
        )
    if any(found in REALS for found in types):
        if sign == "/":
            quotient = raw("trino_real_div(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE))", left, right)
            return quotient if "DOUBLE" in types else raw("CAST({0} AS FLOAT)", quotient)
        raise Refused("% of doubles", "Cast the operands to whole numbers or decimals.")
    if all(found in INTEGERS or found == '"NULL"' for found in types):
        return raw("({0} // trino_nonzero({1}))" if sign == "/" else "({0} % trino_nonzero({1}))", left, right)
    if sign == "/":
        raise Refused(
            "a division of decimals",
            "Trino rounds it to the operands' scale: cast one of them to double (1.5 is a decimal, 1.5e0 a double).",
        )
    return raw("({0} % trino_nonzero({1}))", left, right)


def _move(
    node: exp.Binary, sign: str, types: tuple[str | None, str | None], kinds: tuple[str | None, ...]
) -> exp.Expression:
    if sign in "+-" and kinds == ("time", "interval"):
        value, step, found = node.this, node.expression, types[0]
    elif sign == "+" and kinds == ("interval", "time"):
        value, step, found = node.expression, node.this, types[1]
    elif kinds == ("time", "time") and sign == "-":
        raise Refused("the difference of two times as an interval", "Use date_diff(unit, earlier, later).")
    else:
        raise QueryFailed(
            f"TYPE_MISMATCH: Cannot apply operator: {str(types[0]).lower()} {sign} {str(types[1]).lower()}"
        )
    if found == "DATE" and any(word in text(step) for word in ("to_hours", "to_minutes", "to_seconds")):
        raise QueryFailed("TYPE_MISMATCH: Cannot add hour, minutes or seconds to a date")
    return Raw(this=f"CAST({bracketed(value)} {sign} {bracketed(step)} AS {found})")


def joined(node: exp.DPipe, scope: Scope) -> exp.Expression:
    """``||`` of two texts, arrays or binaries: null if one is null."""
    types = scope.type_of(node.this), scope.type_of(node.expression)
    for found in types:
        if found is not None and kind(found) not in ("varchar", "array", "binary", "null"):
            raise QueryFailed(
                f"TYPE_MISMATCH: Cannot apply operator: {str(types[0]).lower()} || {str(types[1]).lower()}. Cast to varchar"
            )
    comparable(*types, "||")
    return raw("({0} || {1})", node.this, node.expression)


def subscript(node: exp.Bracket, scope: Scope) -> Raw:
    """``a[1]`` fails outside the array; ``m['k']`` fails without the key."""
    found = scope.type_of(node.this)
    if found is None or len(node.expressions) != 1:
        raise Refused(f"{text(node.this)}[…]", "The type of the value is not known here.")
    if kind(found) == "array":
        return raw("trino_subscript({0}, {1})", node.this, node.expressions[0])
    if kind(found) == "map":
        return raw("trino_map_subscript({0}, {1})", node.this, node.expressions[0])
    raise Refused(f"a subscript of {found.lower()}", "Name a row's field with a dot.")


def branches(nodes: list[exp.Expression], scope: Scope, what: str) -> None:
    """All results of a CASE must be of one kind."""
    types = [scope.type_of(node) for node in nodes]
    known = [found for found in types if found not in (None, '"NULL"')]
    for found in known[1:]:
        comparable(known[0], found, what)
