"""Translates nodes of Trino's syntax that differ in DuckDB, and checks the types of those that do not.

The parts of a node are translated before the node itself, so that their types are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import comparisons, concatenation, functions_json, functions_time, operators
from infra.localcloud.athena.translator.calls import FunctionCall
from infra.localcloud.athena.translator.fragments import Fragment, text
from infra.localcloud.athena.translator.functions import SCALARS
from infra.localcloud.athena.translator.scope import Scope

# Nodes that mean the same in both once their parts are translated.
_PLAIN = (
    exp.Column,
    exp.Identifier,
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
    exp.Distinct,
    exp.Tuple,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Is,
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
    items = operators.branches(node.expressions, scope, "ARRAY")
    return Fragment(this="[" + ", ".join(map(text, items)) + "]")


def _unicode_string(node: exp.UnicodeString, scope: Scope) -> exp.Expr:
    r"""``U&'…'``: a code point is written ``\\00e9`` or ``\\+01F600``."""
    sign = re.escape(node.args["escape"].name if node.args.get("escape") else "\\")
    written = re.sub(
        rf"{sign}(?:({sign})|([0-9a-fA-F]{{4}})|\+([0-9a-fA-F]{{6}}))",
        lambda found: found[1] or chr(int(found[2] or found[3], 16)),
        str(node.this),
    )
    return exp.Literal.string(written)


def _hex_string(node: exp.HexString, scope: Scope) -> exp.Expr:
    return Fragment(this=f"unhex('{node.this}')")


def _current_date(node: exp.CurrentDate, scope: Scope) -> exp.Expr:
    return Fragment(this="current_date")


def _current_timestamp(node: exp.CurrentTimestamp | exp.Localtimestamp, scope: Scope) -> exp.Expr:
    if node.this:
        raise _unsupported(node)
    return Fragment(this=functions_time.LOCAL_NOW if isinstance(node, exp.Localtimestamp) else functions_time.NOW)


def _extract(node: exp.Extract, scope: Scope) -> exp.Expr:
    return functions_time.field_of(node.this.name, FunctionCall("extract", [node.expression], scope))


def _at_time_zone(node: exp.AtTimeZone, scope: Scope) -> exp.Expr:
    call = FunctionCall("AT TIME ZONE", [node.this, node.args["zone"]], scope)
    return functions_time.in_zone(call, keeps_wall=False)


def _substring(node: exp.Substring, scope: Scope) -> exp.Expr:
    arguments = [node.args[name] for name in ("this", "start", "length") if node.args.get(name) is not None]
    return SCALARS["substr"].handler(FunctionCall("substring", arguments, scope))


def _position(node: exp.StrPosition, scope: Scope) -> exp.Expr:
    if {name for name, value in node.args.items() if value} != {"this", "substr"}:
        raise _unsupported(node)
    return SCALARS["strpos"].handler(FunctionCall("position", [node.this, node.args["substr"]], scope))


def _trim(node: exp.Trim, scope: Scope) -> exp.Expr:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    arguments = [node.this, *([node.expression] if node.args.get("expression") else [])]
    return SCALARS[name].handler(FunctionCall(name, arguments, scope))


def _json_literal(node: exp.ParseJSON, scope: Scope) -> exp.Expr:
    return functions_json.literal(node)


_TRANSLATED: dict[type[exp.Expr], Callable[[Any, Scope], exp.Expr]] = {
    **dict.fromkeys(comparisons.COMPARISONS, comparisons.compare),
    **dict.fromkeys(operators.ARITHMETIC, operators.arithmetic),
    exp.Between: comparisons.between,
    exp.In: comparisons.is_in,
    exp.NullSafeEQ: comparisons.distinct_from,
    exp.NullSafeNEQ: comparisons.distinct_from,
    exp.Neg: operators.negation,
    exp.Literal: operators.literal,
    exp.DPipe: concatenation.concatenation,
    exp.Bracket: operators.subscript,
    exp.Array: _array,
    exp.HexString: _hex_string,
    exp.UnicodeString: _unicode_string,
    exp.CurrentDate: _current_date,
    exp.CurrentTimestamp: _current_timestamp,
    exp.Localtimestamp: _current_timestamp,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_time_zone,
    exp.Substring: _substring,
    exp.StrPosition: _position,
    exp.Trim: _trim,
    exp.ParseJSON: _json_literal,
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
        true, false = operators.branches([node.args["true"], node.args["false"]], scope, "IF")
        node.set("true", true)
        node.set("false", false)


def _check_case(node: exp.Case, scope: Scope) -> None:
    ifs = node.args["ifs"]
    results = [branch.args["true"] for branch in ifs]
    if node.args.get("default"):
        results.append(node.args["default"])
    results = operators.branches(results, scope, "CASE")
    for branch, result in zip(ifs, results, strict=False):
        branch.set("true", result)
    if node.args.get("default"):
        node.set("default", results[-1])
    if node.this is not None:
        operands = operators.branches([node.this, *(branch.this for branch in ifs)], scope, "CASE operand")
        node.set("this", operands[0])
        for branch, operand in zip(ifs, operands[1:], strict=True):
            branch.set("this", operand)


def _check_comparison(node: exp.Binary, scope: Scope) -> None:
    comparisons.comparable(scope.type_of(node.this), scope.type_of(node.expression), type(node).__name__.upper())


def _check_escape(node: exp.Escape, scope: Scope) -> None:
    """Checks a constant pattern of LIKE; DuckDB accepts an escape sign before any letter."""
    pattern, sign = node.this.expression, node.expression
    if not isinstance(sign, exp.Literal) or not isinstance(pattern, exp.Literal):
        return
    if len(sign.name) != 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT: Escape string must be a single character")
    if re.sub(f"{re.escape(sign.name)}[%_{re.escape(sign.name)}]", "", pattern.name).count(sign.name):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT: Escape character must be followed by '%', '_' or the escape character itself"
        )


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
    exp.Like: _check_comparison,
    exp.Escape: _check_escape,
    exp.Is: _check_is,
    exp.Star: _check_star,
}
