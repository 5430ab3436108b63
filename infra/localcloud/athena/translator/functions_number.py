"""Trino's functions of numbers and bits in DuckDB."""

from __future__ import annotations

import re

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.types import INTEGERS


@translation(1, 2)
def _round(call: FunctionCall) -> Fragment:
    call.require("number")
    kind = call.known_type(0)
    if kind in INTEGERS and len(call.args) == 1:
        return call.fill("{0}")
    if kind in INTEGERS:
        raise UnsupportedError("round of an integer to digits", "Cast it to double.")
    if kind.startswith("DECIMAL") and len(call.args) == 2:
        precision, scale = map(int, re.findall(r"\d+", kind))
        return call.fill(f"CAST(round({{0}}, {{1}}) AS DECIMAL({min(38, precision + 1)},{scale}))")
    return call.fill("round({0})" if len(call.args) == 1 else "round({0}, {1})")


def _whole(name: str) -> Translation:
    """Floor, ceil and truncate keep an integer's type."""

    def handler(call: FunctionCall) -> Fragment:
        call.require("number")
        return call.fill("{0}" if call.known_type(0) in INTEGERS else name + "({0})")

    return Translation(1, 1, handler)


@translation(1)
def _sign(call: FunctionCall) -> Fragment:
    return call.fill(f"CAST(sign({{0}}) AS {call.known_type(0)})")


@translation(2)
def _bit_count(call: FunctionCall) -> Fragment:
    if call.literal(1) != "64":
        raise UnsupportedError("bit_count of other than 64 bits")
    return call.fill("CAST(bit_count(CAST({0} AS BIGINT)) AS BIGINT)")


@translation(2)
def _from_base(call: FunctionCall) -> Fragment:
    call.require("varchar", "number")
    radix = int(call.literal(1))
    if not 2 <= radix <= 36:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36, not {radix}")
    if radix == 16:
        return call.fill("trino_hex_number({0})")
    return call.fill(f"trino_base_number(lower({{0}}), {radix})")


def _math(name: str, arguments: int = 1) -> Translation:
    """A function of doubles."""
    doubles = [f"CAST({{{index}}} AS DOUBLE)" for index in range(arguments)]
    return template(f"{name}({', '.join(doubles)})", *["number"] * arguments)


_N = "number"
TABLE: dict[str, Translation] = {
    "abs": template("abs({0})", _N),
    "round": _round,
    "floor": _whole("floor"),
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "truncate": _whole("trunc"),
    "sign": _sign,
    **{name: _math(name) for name in ("sqrt", "cbrt", "exp", "ln", "log2", "log10", "degrees", "radians")},
    **{name: _math(name) for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    "log": _math("log", 2),
    "power": _math("pow", 2),
    "pow": _math("pow", 2),
    "atan2": _math("atan2", 2),
    "pi": template("pi()"),
    "e": template("exp(1e0)"),
    "infinity": template("CAST('inf' AS DOUBLE)"),
    "nan": template("CAST('nan' AS DOUBLE)"),
    "is_nan": template("isnan({0})", _N),
    "is_finite": template("isfinite({0})", _N),
    "is_infinite": template("isinf({0})", _N),
    "random": template("random()"),
    "rand": template("random()"),
    "bitwise_and": template("CAST({0} & {1} AS BIGINT)", _N, _N),
    "bitwise_or": template("CAST({0} | {1} AS BIGINT)", _N, _N),
    "bitwise_xor": template("CAST(xor({0}, {1}) AS BIGINT)", _N, _N),
    "bitwise_not": template("CAST(~{0} AS BIGINT)", _N),
    "bit_count": _bit_count,
    "from_base": _from_base,
    "to_base": template("lower(to_base({0}, {1}))", _N, _N),
}
