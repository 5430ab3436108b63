"""Trino's operators in DuckDB: the signs agree; divisions, NaN, text and times behave differently by type."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import decimals, intervals
from infra.localcloud.athena.translator.coercion import NULL, coerce, common, unify
from infra.localcloud.athena.translator.comparisons import comparable
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.types import (
    INTEGERS,
    REALS,
    decimal_size,
    kind,
    split_top,
    struct_fields,
    trino_type,
)

ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


def boolean(node: exp.Expr, scope: Scope, where: str) -> None:
    """Checks that an expression is boolean.

    Raises:
        QueryError: It is not.
    """
    found = scope.type_of(node)
    if found is not None and kind(found) not in ("boolean", "null"):
        raise QueryError(f"TYPE_MISMATCH: {where} must be boolean, not {trino_type(found)}: {text(node)}")


def arithmetic(node: exp.Binary, scope: Scope) -> exp.Expr:
    """Translates + - * / % with Trino's types and errors: division of whole numbers by zero fails.

    Raises:
        QueryError: Trino has no such operator.
        UnsupportedError: The result would differ from Trino's.
    """
    sign = ARITHMETIC[type(node)]
    left, right = node.this, node.expression
    one, other = scope.type_of(left), scope.type_of(right)
    if one is None or other is None:
        raise UnsupportedError(
            f"{text(left)} {sign} {text(right)}",
            "The types of the operands are not known here, or a name in them is wrong.",
        )
    if NULL in (one, other):
        return Fragment(this=f"CAST(NULL AS {other if one == NULL else one})") if (one, other) != (NULL, NULL) else node
    kinds = {kind(one), kind(other)}
    if kinds & {"time", "interval"}:
        return intervals.arithmetic(left, right, sign, (one, other))
    if kinds != {"number"}:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(one)} {sign} {trino_type(other)}")
    return of_numbers(sign, left, right, (one, other))


def of_numbers(sign: str, left: exp.Expr, right: exp.Expr, types: tuple[str, str]) -> exp.Expr:
    """Translates an operator of two numbers of known types."""
    if any(found in REALS for found in types):
        return _reals(sign, left, right, types)
    if all(found in INTEGERS for found in types):
        return _integers(sign, left, right, types)
    if NULL in types:
        return fragment(f"({{0}} {sign} {{1}})", left, right)
    written = decimals.arithmetic(sign, bracketed(left), bracketed(right), types)
    if written is None:
        raise QueryError(
            f"TYPE_MISMATCH: Cannot apply operator: {trino_type(types[0])} {sign} {trino_type(types[1])}: "
            "the scale of the result is over 38"
        )
    return Fragment(this=written)


def _reals(sign: str, left: exp.Expr, right: exp.Expr, types: tuple[str, str]) -> exp.Expr:
    wanted = common(*types)
    operands = [bracketed(left), bracketed(right)]
    if any(found != wanted for found in types):
        operands = [f"CAST({operand} AS {wanted})" for operand in operands]
    if sign == "/":
        return Fragment(this=f"CAST(trino_real_div({operands[0]}, {operands[1]}) AS {wanted})")
    if sign == "%":
        return Fragment(this=f"CAST(trino_real_mod({operands[0]}, {operands[1]}) AS {wanted})")
    return Fragment(this=f"({operands[0]} {sign} {operands[1]})")


def _integers(sign: str, left: exp.Expr, right: exp.Expr, types: tuple[str, str]) -> exp.Expr:
    operands = [bracketed(left), bracketed(right)]
    # DuckDB 1.5 gives a literal the narrowest type of its neighbour; in Trino it is an integer.
    if {"TINYINT", "SMALLINT"} & set(types):
        operands = [f"CAST({operand} AS {common(*types)})" for operand in operands]
    if sign == "/":
        return Fragment(this=f"({operands[0]} // trino_nonzero({operands[1]}))")
    if sign == "%":
        return Fragment(this=f"({operands[0]} % trino_nonzero({operands[1]}))")
    return Fragment(this=f"({operands[0]} {sign} {operands[1]})")


def negation(node: exp.Neg, scope: Scope) -> exp.Expr:
    """Translates ``-value``."""
    found = scope.type_of(node.this)
    if found is None or (isinstance(node.this, exp.Literal) and not node.this.is_string):
        return node
    if kind(found) == "interval":
        return intervals.negative(node, found)
    if kind(found) not in ("number", "null"):
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: - {trino_type(found)}")
    if size := decimal_size(found):
        return fragment(f"CAST(-{{0}} AS DECIMAL({size[0]},{size[1]}))", node.this)
    return node


def literal(node: exp.Literal, scope: Scope) -> exp.Expr:
    """Translates a number: ``1.50`` is a decimal(3,2), ``1e0`` a double, and a whole number at most a bigint."""
    if node.is_string or "e" in node.name.lower():
        return node
    if "." not in node.name:
        if int(node.name) > 2**63 - (0 if isinstance(node.parent, exp.Neg) else 1):
            raise QueryError(f"INVALID_LITERAL: Invalid numeric literal: {node.name}")
        return node
    return decimal_literal(node.name)


def decimal_literal(written: str) -> Fragment:
    """Translates ``1.50`` and ``decimal '1.50'``.

    Raises:
        QueryError: The text is no decimal, or has more than 38 digits.
    """
    plain = written.strip()
    if not plain.lstrip("+-").replace(".", "", 1).isdigit():
        raise QueryError(f"INVALID_LITERAL: '{written}' is not a valid DECIMAL literal")
    made, precision = decimals.literal(plain)
    if precision > 38:
        raise QueryError(f"INVALID_LITERAL: '{written}' is not a valid DECIMAL literal")
    return Fragment(this=made)


def subscript(node: exp.Bracket, scope: Scope) -> Fragment:
    """Translates ``a[1]``, which fails outside the array, ``m['k']``, which fails without the key, and ``row[1]``."""
    found = scope.type_of(node.this)
    if found is None or len(node.expressions) != 1:
        raise UnsupportedError(f"{text(node.this)}[…]", "The type of the value is not known here.")
    index = node.expressions[0]
    if kind(found) == "array":
        return fragment("trino_subscript({0}, {1})", node.this, index)
    if kind(found) == "map":
        return fragment("trino_map_subscript({0}, {1})", node.this, map_key(index, found, scope))
    if kind(found) == "row":
        return _field_at(node.this, index, found)
    raise QueryError(f"TYPE_MISMATCH: Cannot use {trino_type(found)} for subscript")


def map_key(key: exp.Expr, found: str, scope: Scope) -> exp.Expr:
    """Converts a key to the type of a map's keys, in which it is searched.

    Raises:
        QueryError: Trino does not convert it.
    """
    wanted, given = split_top(found[4:-1])[0], scope.type_of(key)
    comparable(wanted, given, "subscript")
    if given in (None, wanted, NULL):
        return key
    return Fragment(this=coerce(bracketed(key), str(given), wanted))


def _field_at(value: exp.Expr, index: exp.Expr, found: str) -> Fragment:
    if not isinstance(index, exp.Literal) or not index.name.isdigit():
        raise QueryError("TYPE_MISMATCH: Subscript expression on ROW requires a constant index")
    if not 1 <= int(index.name) <= len(struct_fields(found)):
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Invalid subscript index: {index.name}")
    return fragment(f"struct_extract_at({{0}}, {index.name})", value)


def branches(nodes: list[exp.Expr], scope: Scope, what: str) -> list[exp.Expr]:
    """Checks that all results of a CASE, IF or ARRAY have a common type, and converts them to it."""
    types = [scope.type_of(node) for node in nodes]
    known = [found for found in types if found not in (None, NULL)]
    for found in known[1:]:
        comparable(known[0], found, what)
    return unify(nodes, scope)
