"""Translates nodes of Trino's syntax that differ in DuckDB, and checks the types of those that do not.

The parts of a node are translated before the node itself, so that their types are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import functions_time, operators
from infra.localcloud.athena.translator.calls import FunctionCall
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.functions import SCALARS
from infra.localcloud.athena.translator.scope import Scope

# Nodes that mean the same in both once their parts are translated.
_PLAIN = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Star,
    exp.Paren,
    exp.Alias,
    exp.TableAlias,
    exp.Ordered,
    exp.Order,
    exp.Where,
    exp.Having,
    exp.Group,
    exp.GroupingSets,
    exp.Cube,
    exp.Rollup,
    exp.Limit,
    exp.Offset,
    exp.Fetch,
    exp.Distinct,
    exp.Tuple,
    exp.Neg,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Is,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.In,
    exp.Like,
    exp.Escape,
    exp.Exists,
    exp.If,
    exp.Case,
    exp.WindowSpec,
    exp.Var,
    exp.Lambda,
    exp.Dot,
    exp.Any,
    exp.All,
)


def combine(node: exp.Expr, scope: Scope) -> exp.Expr:
    """Translates a node whose parts are translated.

    Raises:
        QueryError: Trino fails too: the types do not fit.
        UnsupportedError: The node is on no list.
    """
    if handler := _TRANSLATED.get(type(node)):
        return handler(node, scope)
    if type(node) not in _PLAIN:
        raise _unsupported(node)
    if check := _CHECKED.get(type(node)):
        check(node, scope)
    return node


def _unsupported(node: exp.Expr) -> UnsupportedError:
    return UnsupportedError(f"{type(node).__name__.upper()}: {text(node)[:80]}")


# --- nodes that are written differently ---------------------------------------------------------------------------


def _array(node: exp.Array, scope: Scope) -> exp.Expr:
    operators.branches(node.expressions, scope, "ARRAY")
    return Fragment(this="[" + ", ".join(text(item) for item in node.expressions) + "]")


def _hex_string(node: exp.HexString, scope: Scope) -> exp.Expr:
    return Fragment(this=f"unhex('{node.this}')")


def _current_date(node: exp.CurrentDate, scope: Scope) -> exp.Expr:
    return Fragment(this="current_date")


def _current_timestamp(node: exp.CurrentTimestamp, scope: Scope) -> exp.Expr:
    if node.this:
        raise _unsupported(node)
    return Fragment(this=functions_time.NOW)


def _extract(node: exp.Extract, scope: Scope) -> exp.Expr:
    return functions_time.field_of(node.this.name, node.expression, FunctionCall("extract", [node.expression], scope))


def _at_time_zone(node: exp.AtTimeZone, scope: Scope) -> exp.Expr:
    return SCALARS["at_timezone"].handler(FunctionCall("AT TIME ZONE", [node.this, node.args["zone"]], scope))


def _substring(node: exp.Substring, scope: Scope) -> exp.Expr:
    arguments = [node.args[name] for name in ("this", "start", "length") if node.args.get(name) is not None]
    return SCALARS["substr"].handler(FunctionCall("substring", arguments, scope))


def _position(node: exp.StrPosition, scope: Scope) -> exp.Expr:
    if {name for name, value in node.args.items() if value} != {"this", "substr"}:
        raise _unsupported(node)
    return fragment("strpos({0}, {1})", node.this, node.args["substr"])


def _trim(node: exp.Trim, scope: Scope) -> exp.Expr:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    characters = f", {bracketed(node.expression)}" if node.args.get("expression") else ""
    return Fragment(this=f"{name}({bracketed(node.this)}{characters})")


_TRANSLATED: dict[type[exp.Expr], Callable[[Any, Scope], exp.Expr]] = {
    **dict.fromkeys(operators.COMPARISONS, operators.compare),
    **dict.fromkeys(operators.ARITHMETIC, operators.arithmetic),
    exp.Between: operators.between,
    exp.DPipe: operators.concatenation,
    exp.Bracket: operators.subscript,
    exp.Array: _array,
    exp.HexString: _hex_string,
    exp.CurrentDate: _current_date,
    exp.CurrentTimestamp: _current_timestamp,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_time_zone,
    exp.Substring: _substring,
    exp.StrPosition: _position,
    exp.Trim: _trim,
}


# --- nodes that stay as they are, with Trino's type rules ----------------------------------------------------------


def _check_connector(node: exp.Connector, scope: Scope) -> None:
    for operand in (node.this, node.expression):
        operators.boolean(operand, scope, f"operand of {type(node).__name__.upper()}")


def _check_not(node: exp.Not, scope: Scope) -> None:
    operators.boolean(node.this, scope, "operand of NOT")


def _check_if(node: exp.If, scope: Scope) -> None:
    case = node.parent
    if not (isinstance(case, exp.Case) and case.this is not None):
        operators.boolean(node.this, scope, "CASE WHEN clause")
    if not isinstance(case, exp.Case) and node.args.get("false") is not None:
        operators.branches([node.args["true"], node.args["false"]], scope, "IF")


def _check_case(node: exp.Case, scope: Scope) -> None:
    results = [branch.args["true"] for branch in node.args["ifs"]]
    if node.args.get("default"):
        results.append(node.args["default"])
    operators.branches(results, scope, "CASE")


def _check_in(node: exp.In, scope: Scope) -> None:
    if query := node.args.get("query"):
        if not isinstance(node.this, exp.Tuple):
            chosen = scope.type_of(query if isinstance(query, exp.Subquery) else fragment("{0}", query))
            operators.comparable(scope.type_of(node.this), chosen, "IN")
        return
    for item in node.expressions:
        operators.comparable(scope.type_of(node.this), scope.type_of(item), "IN")


def _check_comparison(node: exp.Binary, scope: Scope) -> None:
    operators.comparable(scope.type_of(node.this), scope.type_of(node.expression), type(node).__name__.upper())


def _check_is(node: exp.Is, scope: Scope) -> None:
    if not isinstance(node.expression, exp.Null):
        raise QueryError("SYNTAX_ERROR: mismatched input: Trino knows IS [NOT] NULL and IS [NOT] DISTINCT FROM only")


def _check_star(node: exp.Star, scope: Scope) -> None:
    if any(node.args.values()):
        raise UnsupportedError("SELECT * EXCEPT or REPLACE")


_CHECKED: dict[type[exp.Expr], Callable[[Any, Scope], None]] = {
    exp.And: _check_connector,
    exp.Or: _check_connector,
    exp.Not: _check_not,
    exp.If: _check_if,
    exp.Case: _check_case,
    exp.In: _check_in,
    exp.Like: _check_comparison,
    exp.NullSafeEQ: _check_comparison,
    exp.NullSafeNEQ: _check_comparison,
    exp.Is: _check_is,
    exp.Star: _check_star,
}
