"""Trino's comparisons in DuckDB: NaN equals nothing, and a null inside an array, map or row makes the result null."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import TimeType, time_type
from infra.localcloud.athena.translator.coercion import coerce, common
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import REALS, kind, split_top, struct_fields, trino_type

COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_NESTED = ("array", "map", "row")


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
    if {kind(left), kind(right)} <= {"array", "map", "row", "interval"}:
        fits = common(left, right) is not None
    else:
        fits = len({kind(left), kind(right)} - {"null"}) < 2
    if not fits:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(left)} {sign} {trino_type(right)}")


def compare(node: exp.Binary, scope: Scope) -> exp.Expr:
    """Translates a comparison."""
    sign = COMPARISONS[type(node)]
    left, right = node.this, node.expression
    if isinstance(right, (exp.Query, exp.Any, exp.All)):
        return _with_subquery(node, scope)
    types = scope.type_of(left), scope.type_of(right)
    comparable(*types, sign)
    if types[0] is not None and types[1] is not None:
        return compared(left, right, sign, (types[0], types[1])) or node
    return node


def compared(left: exp.Expr, right: exp.Expr, sign: str, types: tuple[str, str]) -> Fragment | None:
    """Writes a comparison of two values; None if DuckDB's own is the same."""
    kinds = {kind(found) for found in types}
    if "time" in kinds:
        return _times(left, right, sign, types)
    if kinds & set(_NESTED):
        return _nested(bracketed(left), bracketed(right), sign, types)
    doubtful = [
        side
        for side, found in zip((left, right), types, strict=True)
        if found in REALS and not isinstance(side, exp.Literal)
    ]
    if not doubtful:
        return None
    nan = " OR ".join(f"isnan({bracketed(side)})" for side in doubtful)
    one, other = bracketed(left), bracketed(right)
    return Fragment(
        this=f"(CASE WHEN {one} IS NULL OR {other} IS NULL THEN NULL "
        f"WHEN {nan} THEN {'true' if sign == '<>' else 'false'} ELSE {one} {sign} {other} END)"
    )


def moments(left: exp.Expr, right: exp.Expr, types: tuple[str | None, str | None]) -> tuple[str, str] | None:
    """Returns two times as TIMESTAMPs in UTC; None if DuckDB compares them as they are."""
    one, other = time_type(types[0]), time_type(types[1])
    if one is None or other is None or (one.plain_or_date and other.plain_or_date):
        return None
    return one.utc(bracketed(left)), other.utc(bracketed(right))


def _times(left: exp.Expr, right: exp.Expr, sign: str, types: tuple[str, str]) -> Fragment | None:
    found = moments(left, right, types)
    return Fragment(this=f"({found[0]} {sign} {found[1]})") if found else None


def _nested(left: str, right: str, sign: str, types: tuple[str, str]) -> Fragment:
    wanted = common(*types)
    if wanted is None:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(types[0])} {sign} {trino_type(types[1])}")
    left, right = coerce(left, types[0], wanted), coerce(right, types[1], wanted)
    if sign in ("=", "<>"):
        same = equal(left, right, wanted)
        return Fragment(this=f"({same})" if sign == "=" else f"(NOT {same})")
    if kind(wanted) == "map":
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(wanted)} {sign} {trino_type(wanted)}")
    if kind(wanted) == "row" or "DOUBLE" in wanted or "FLOAT" in wanted or "STRUCT" in wanted:
        raise UnsupportedError(f"{trino_type(wanted)} {sign} {trino_type(wanted)}")
    return Fragment(this=f"(trino_without_null({left}) {sign} trino_without_null({right}))")


def equal(left: str, right: str, duck: str, depth: int = 0) -> str:
    """Writes whether two values of one type are equal; null if that depends on a null inside them."""
    if duck in REALS:
        return f"({left} = {right} AND NOT isnan({left}))"
    found = kind(duck)
    if found == "array":
        pair = f"e{depth}"
        items = f"struct_extract_at({pair}, 1)", f"struct_extract_at({pair}, 2)"
        each = equal(*items, duck[:-2], depth + 1)
        return f"trino_same_items({left}, {right}, list_transform(list_zip({left}, {right}), lambda {pair}: {each}))"
    if found == "map":
        entry = f"e{depth}"
        value = split_top(duck[4:-1])[1]
        each = equal(f"{entry}.value", f"{right}[{entry}.key]", value, depth + 1)
        known = f"CASE WHEN map_contains({right}, {entry}.key) THEN {each} ELSE false END"
        transformed = f"list_transform(map_entries({left}), lambda {entry}: {known})"
        return f"trino_same_items(map_keys({left}), map_keys({right}), {transformed})"
    if found == "row":
        parts = (
            equal(f"struct_extract_at({left}, {index})", f"struct_extract_at({right}, {index})", of, depth)
            for index, (_, of) in enumerate(struct_fields(duck), start=1)
        )
        return "(" + " AND ".join(parts) + ")"
    return f"({left} = {right})"


def between(node: exp.Between, scope: Scope) -> exp.Expr:
    """Translates BETWEEN; NaN is between no two numbers."""
    if node.args.get("symmetric"):
        raise QueryError("SYNTAX_ERROR: mismatched input 'SYMMETRIC'")
    low, high = node.args["low"], node.args["high"]
    types = [scope.type_of(item) for item in (node.this, low, high)]
    for bound in types[1:]:
        comparable(types[0], bound, "BETWEEN")
    if any(time_type(found) and not (time_type(found) or TimeType()).plain_or_date for found in types):
        first = compared(node.this, low, ">=", (str(types[0]), str(types[1])))
        second = compared(node.this, high, "<=", (str(types[0]), str(types[2])))
        return fragment(
            "({0} AND {1})",
            first or fragment("{0} >= {1}", node.this, low),
            second or fragment("{0} <= {1}", node.this, high),
        )
    if types[0] is not None and kind(types[0]) in _NESTED:
        raise UnsupportedError(f"BETWEEN of {trino_type(types[0])}")
    if types[0] in REALS:
        return fragment("(NOT isnan({0}) AND {0} BETWEEN {1} AND {2})", node.this, low, high)
    return node


def is_in(node: exp.In, scope: Scope) -> exp.Expr:
    """Translates ``IN``: a list as equalities where DuckDB's equality differs, a query as it is."""
    mine = scope.type_of(node.this)
    if query := node.args.get("query"):
        if not isinstance(node.this, exp.Tuple):
            chosen = scope.type_of(query if isinstance(query, exp.Subquery) else fragment("{0}", query))
            comparable(mine, chosen, "IN")
            _require_plain(mine, chosen, "IN (SELECT …)")
        return node
    types = [scope.type_of(item) for item in node.expressions]
    for found in types:
        comparable(mine, found, "IN")
    if mine is None or None in types:
        return node
    written = [
        compared(node.this, item, "=", (mine, str(found))) for item, found in zip(node.expressions, types, strict=True)
    ]
    harmless = mine in REALS and all(isinstance(item, exp.Literal) for item in node.expressions)
    if harmless or not any(written):
        return node
    equalities = [
        bracketed(found or fragment("{0} = {1}", node.this, item))
        for found, item in zip(written, node.expressions, strict=True)
    ]
    return Fragment(this="(" + " OR ".join(equalities) + ")")


def distinct_from(node: exp.Binary, scope: Scope) -> exp.Expr:
    """Translates IS [NOT] DISTINCT FROM."""
    types = scope.type_of(node.this), scope.type_of(node.expression)
    comparable(*types, "IS DISTINCT FROM")
    sign = "IS DISTINCT FROM" if isinstance(node, exp.NullSafeNEQ) else "IS NOT DISTINCT FROM"
    if found := moments(node.this, node.expression, types):
        return Fragment(this=f"({found[0]} {sign} {found[1]})")
    wanted = common(types[0], types[1]) if types[0] and types[1] else None
    if wanted is not None and kind(wanted) in _NESTED:
        left = coerce(bracketed(node.this), str(types[0]), wanted)
        right = coerce(bracketed(node.expression), str(types[1]), wanted)
        return Fragment(this=f"({left} {sign} {right})")
    return node


def _with_subquery(node: exp.Binary, scope: Scope) -> exp.Expr:
    if isinstance(node.expression, exp.Query):
        types = scope.type_of(node.this), scope.type_of(node.expression)
        comparable(*types, COMPARISONS[type(node)])
        if types[0] is not None and types[1] is not None and not {kind(types[0]), kind(types[1])} <= {"number", "null"}:
            return compared(node.this, node.expression, COMPARISONS[type(node)], (types[0], types[1])) or node
    return node


def _require_plain(left: str | None, right: str | None, where: str) -> None:
    """Refuses two types of time of which DuckDB would compare the structs."""
    if left is not None and right is not None and left != right and ("STRUCT(" in left or "STRUCT(" in right):
        raise UnsupportedError(f"{trino_type(left)} {where} of {trino_type(right)}", "Cast one of them.")
