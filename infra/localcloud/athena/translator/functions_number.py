"""Trino's functions of numbers and bits in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import coerce, common
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.types import INTEGERS, REALS, decimal_size

_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


@translation(1, 2)
def _round(call: FunctionCall) -> Fragment:
    call.require("number")
    kind = call.known_type(0)
    if kind in INTEGERS:
        if len(call.args) == 1:
            return call.fill("{0}")
        return Fragment(this=f"CAST(trino_round_integer({call[0]}, {call[1]}) AS {kind})")
    if size := decimal_size(kind):
        precision, scale = size
        if len(call.args) == 2:
            return Fragment(
                this=f"CAST(trino_round_decimal({call[0]}, {call[1]}, {scale}) AS "
                f"DECIMAL({min(38, precision + 1)},{scale}))"
            )
        return call.fill(f"CAST(round({{0}}) AS DECIMAL({min(38, precision - scale + min(1, scale))},0))")
    if len(call.args) == 1:
        return call.fill("round({0})")
    return call.fill(f"CAST(trino_round_real({{0}}, {{1}}) AS {kind})")


def _whole(name: str) -> Translation:
    """Floor and ceil keep an integer's type; a decimal loses its scale."""

    def handler(call: FunctionCall) -> Fragment:
        call.require("number")
        kind = call.known_type(0)
        if size := decimal_size(kind):
            precision, scale = size
            return call.fill(f"CAST({name}({{0}}) AS DECIMAL({min(38, precision - scale + min(1, scale))},0))")
        return call.fill("{0}" if kind in INTEGERS else name + "({0})")

    return Translation(1, 1, handler)


@translation(1, 2)
def _truncate(call: FunctionCall) -> Fragment:
    call.require("number")
    kind = call.known_type(0)
    size = decimal_size(kind)
    if size is None:
        if len(call.args) == 2:
            raise QueryError(
                f"FUNCTION_NOT_FOUND: Unexpected parameters ({kind.lower()}, integer) for function truncate"
            )
        return call.fill("trunc({0})" if kind in REALS else "trunc(CAST({0} AS DOUBLE))")
    precision, scale = size
    if len(call.args) == 1:
        return call.fill(f"CAST(trunc({{0}}) AS DECIMAL({max(precision - scale, 1)},0))")
    cut = f"trino_truncate_decimal({call[0]}, {call[1]}, {scale})"
    return Fragment(this=f"CAST({cut} AS DECIMAL({precision},{scale}))")


@translation(1)
def _sign(call: FunctionCall) -> Fragment:
    call.require("number")
    kind = call.known_type(0)
    if decimal_size(kind):
        return call.fill("CAST(sign({0}) AS DECIMAL(1,0))")
    return call.fill(f"CAST(sign({{0}}) AS {kind})" if kind in INTEGERS else "trino_sign({0})")


@translation(1)
def _abs(call: FunctionCall) -> Fragment:
    call.require("number")
    size = decimal_size(call.known_type(0))
    return call.fill(f"CAST(abs({{0}}) AS DECIMAL({size[0]},{size[1]}))" if size else "abs({0})")


@translation(2)
def _bit_count(call: FunctionCall) -> Fragment:
    bits = int(call.literal(1))
    if not 2 <= bits <= 64:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got {bits}")
    if bits == 64:
        return call.fill("CAST(bit_count(CAST({0} AS BIGINT)) AS BIGINT)")
    return call.fill(f"trino_bit_count({{0}}, {bits})")


def _shift(operation: str) -> Translation:
    """A shift: the bits are those of the value's type."""

    def handler(call: FunctionCall) -> Fragment:
        call.require("number")
        kind = call.known_type(0)
        if kind not in _BITS:
            raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}: {kind.lower()}")
        return call.fill(f"CAST(trino_{operation}({{0}}, {{1}}, {_BITS[kind]}) AS {kind})")

    return Translation(2, 2, handler)


def _radix(call: FunctionCall) -> int:
    radix = int(call.literal(1))
    if not 2 <= radix <= 36:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36, not {radix}")
    return radix


@translation(2)
def _from_base(call: FunctionCall) -> Fragment:
    call.require("varchar", "number")
    radix = _radix(call)
    if radix == 16:
        return call.fill("trino_hex_number({0})")
    return call.fill(f"trino_base_number(lower({{0}}), {radix})")


@translation(2)
def _to_base(call: FunctionCall) -> Fragment:
    call.require("number")
    return call.fill(f"trino_to_base({{0}}, {_radix(call)})")


@translation(2, 4)
def _width_bucket(call: FunctionCall) -> Fragment:
    if len(call.args) == 2:
        call.require("number", "array")
        return call.fill("trino_bin({0}, {1})")
    if len(call.args) != 4:
        raise QueryError("FUNCTION_NOT_FOUND: width_bucket(x, bound1, bound2, n) or width_bucket(x, bins)")
    call.require("number")
    values = ", ".join(f"CAST({call[index]} AS DOUBLE)" for index in range(3))
    return Fragment(this=f"trino_width_bucket({values}, {call[3]})")


@translation(0, 2)
def _random(call: FunctionCall) -> Fragment:
    if not call.args:
        return Fragment(this="random()")
    raise UnsupportedError(f"{call.name} with bounds", "Its results differ with each run: use random().")


def _math(written: str, arguments: int = 1) -> Translation:
    """A function of doubles."""
    doubles = [f"CAST({{{index}}} AS DOUBLE)" for index in range(arguments)]
    return template(f"{written}({', '.join(doubles)})", *["number"] * arguments)


def extreme(name: str) -> Translation:
    """Greatest and least: null as soon as one argument is; NaN loses against every number."""

    def handler(call: FunctionCall) -> Fragment:
        call.require_one_kind()
        types = [call.known_type(index) for index in range(len(call.args))]
        wanted = types[0]
        for found in types[1:]:
            wanted = common(wanted, found) or wanted
        if wanted.endswith("[]") or wanted.startswith(("MAP(", "STRUCT(")):
            raise UnsupportedError(f"{name} of arrays, maps and rows")
        null = " OR ".join(f"{call[index]} IS NULL" for index in range(len(call.args)))
        values = (coerce(call[index], found, wanted) for index, found in enumerate(types))
        listed = f"{name}({', '.join(values)})"
        if wanted in REALS:
            numbers = ", ".join(f"nullif(CAST({call[index]} AS {wanted}), 'nan')" for index in range(len(call.args)))
            listed = f"coalesce({name}({numbers}), CAST('nan' AS {wanted}))"
        return Fragment(this=f"CASE WHEN {null} THEN NULL ELSE CAST({listed} AS {wanted}) END")

    return Translation(1, 99, handler)


_N = "number"
TABLE: dict[str, Translation] = {
    "abs": _abs,
    "round": _round,
    "floor": _whole("floor"),
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "truncate": _truncate,
    "sign": _sign,
    # DuckDB 1.5.5 computes pow(x, 1/3): 3.0000000000000004 for 27.
    "cbrt": _math("trino_cbrt"),
    **{name: _math(name) for name in ("exp", "degrees", "radians", "atan", "sinh", "cosh", "tanh")},
    **{name: _math(f"trino_{name}") for name in ("sqrt", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos")},
    "log": _math("trino_log", 2),
    "power": _math("trino_pow", 2),
    "pow": _math("trino_pow", 2),
    "atan2": _math("atan2", 2),
    "pi": template("pi()"),
    "e": template("CAST(2.718281828459045 AS DOUBLE)"),
    "infinity": template("CAST('inf' AS DOUBLE)"),
    "nan": template("CAST('nan' AS DOUBLE)"),
    "is_nan": template("isnan(CAST({0} AS DOUBLE))", _N),
    "is_finite": template("isfinite(CAST({0} AS DOUBLE))", _N),
    "is_infinite": template("isinf(CAST({0} AS DOUBLE))", _N),
    "random": _random,
    "rand": _random,
    "bitwise_and": template("(CAST({0} AS BIGINT) & {1})", _N, _N),
    "bitwise_or": template("(CAST({0} AS BIGINT) | {1})", _N, _N),
    "bitwise_xor": template("xor(CAST({0} AS BIGINT), {1})", _N, _N),
    "bitwise_not": template("CAST(~CAST({0} AS BIGINT) AS BIGINT)", _N),
    "bitwise_left_shift": _shift("left_shift"),
    "bitwise_right_shift": _shift("right_shift"),
    "bitwise_right_shift_arithmetic": _shift("right_shift_arithmetic"),
    "bit_count": _bit_count,
    "from_base": _from_base,
    "to_base": _to_base,
    "width_bucket": _width_bucket,
    "greatest": extreme("greatest"),
    "least": extreme("least"),
}
