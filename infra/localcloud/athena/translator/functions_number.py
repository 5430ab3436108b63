"""Trino's functions of numbers and bits in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import coerce, common
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.types import INTEGERS, REALS, decimal_size

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
            return Fragment(this=f"CAST(trino_round_decimal({call[0]}, {call[1]}, {scale}) AS "
                            f"DECIMAL({min(38, precision + 1)},{scale}))")
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
            raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({kind.lower()}, integer) for function truncate")
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


@translation(1)
def _cbrt(call: FunctionCall) -> Fragment:
    """DuckDB 1.5.5 has pow(x, 1/3): 3.0000000000000004 for 27."""
    call.require("number")
    return call.fill("py_cbrt(CAST({0} AS DOUBLE))")


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
    "cbrt": _cbrt,
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

# Where DuckDB 1.5 fails outside a function's domain, Java gives NaN or an infinity.
MACROS = r"""
CREATE MACRO trino_nonzero(b) AS CASE WHEN b = 0
    THEN CAST('DIVISION_BY_ZERO: Division by zero' || substr(CAST(b AS VARCHAR), 99) AS TINYINT) ELSE b END;
CREATE MACRO trino_real_div(a, b) AS CASE WHEN b <> 0 OR isnan(b) OR a IS NULL OR b IS NULL THEN a / b
    WHEN a = 0 OR isnan(a) THEN CAST('nan' AS DOUBLE)
    WHEN (a > 0) = (CAST(b AS VARCHAR)[1] <> '-') THEN CAST('inf' AS DOUBLE) ELSE CAST('-inf' AS DOUBLE) END;
CREATE MACRO trino_real_mod(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN b = 0 OR isnan(a) OR isnan(b) OR isinf(a) THEN CAST('nan' AS DOUBLE) WHEN isinf(b) THEN a ELSE fmod(a, b) END;
CREATE MACRO trino_sign(x) AS CASE WHEN isnan(x) OR x = 0 THEN x WHEN x > 0 THEN x / x ELSE -(x / x) END;
CREATE MACRO trino_sqrt(x) AS CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(x) END;
CREATE MACRO trino_ln(x) AS CASE WHEN x > 0 THEN ln(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE)
    WHEN x < 0 THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_log10(x) AS CASE WHEN x > 0 THEN log10(x) ELSE trino_ln(x) END;
CREATE MACRO trino_log2(x) AS trino_ln(x) / 0.6931471805599453e0;
CREATE MACRO trino_log(b, x) AS trino_real_div(trino_ln(x), trino_ln(b));
CREATE MACRO trino_pow(x, y) AS CASE WHEN isnan(y) OR (abs(x) = 1 AND isinf(y)) THEN CAST('nan' AS DOUBLE)
    ELSE pow(x, y) END;
CREATE MACRO trino_sin(x) AS CASE WHEN isfinite(x) THEN sin(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_cos(x) AS CASE WHEN isfinite(x) THEN cos(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_tan(x) AS CASE WHEN isfinite(x) THEN tan(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_asin(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_acos(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_round_real(x, d) AS CASE WHEN isfinite(x) THEN
    CASE WHEN x < 0 THEN -(floor(-x * pow(10e0, d) + 0.5e0) / pow(10e0, d)) ELSE floor(x * pow(10e0, d) + 0.5e0) / pow(10e0, d) END
    ELSE x END;
CREATE MACRO trino_round_integer(x, d) AS CASE WHEN x IS NULL OR d IS NULL THEN NULL WHEN d >= 0 THEN x
    WHEN d < -19 THEN CAST('NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: ' || CAST(x AS VARCHAR) AS BIGINT)
    ELSE trino_half_up(CAST(x AS HUGEINT), CAST(pow(10, -d) AS HUGEINT)) * CAST(pow(10, -d) AS HUGEINT) END;
CREATE MACRO trino_round_decimal(x, d, s) AS CASE WHEN d IS NULL THEN NULL WHEN d >= s THEN x ELSE round(x, d) END;
CREATE MACRO trino_truncate_decimal(x, d, s) AS CASE WHEN d IS NULL OR x IS NULL THEN NULL WHEN d >= s THEN x
    WHEN abs(round(x, d)) > abs(x) THEN round(x, d) - sign(x) * CAST(pow(10, -d) AS DECIMAL(38,10)) ELSE round(x, d) END;
CREATE MACRO trino_wrapped(h, bits) AS CAST(((h + (1::HUGEINT << (bits - 1))) % (1::HUGEINT << bits) + (1::HUGEINT << bits))
    % (1::HUGEINT << bits) - (1::HUGEINT << (bits - 1)) AS BIGINT);
CREATE MACRO trino_unsigned(x, bits) AS CASE WHEN x < 0 THEN CAST(x AS HUGEINT) + (1::HUGEINT << bits) ELSE CAST(x AS HUGEINT) END;
CREATE MACRO trino_left_shift(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n >= bits OR n < 0 THEN 0
    ELSE trino_wrapped(CAST(x AS HUGEINT) * CAST(pow(2, n) AS HUGEINT) % (1::HUGEINT << bits), bits) END;
CREATE MACRO trino_right_shift(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n >= bits OR n < 0 THEN 0
    ELSE trino_wrapped(trino_unsigned(x, bits) // CAST(pow(2, n) AS HUGEINT), bits) END;
CREATE MACRO trino_right_shift_arithmetic(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL
    WHEN n >= bits OR n < 0 THEN CASE WHEN x >= 0 THEN 0 ELSE -1 END ELSE CAST(x AS BIGINT) >> CAST(n AS BIGINT) END;
CREATE MACRO trino_bit_count(x, bits) AS CASE WHEN x IS NULL THEN NULL
    WHEN x < -(1::HUGEINT << (bits - 1)) OR x >= (1::HUGEINT << (bits - 1))
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. ' || CAST(x AS VARCHAR)
        || ' cannot be represented with ' || CAST(bits AS VARCHAR) || ' bits' AS BIGINT)
    ELSE CAST(bit_count(CAST(CAST(x AS BIGINT) & CAST((1::HUGEINT << bits) - 1 AS BIGINT) AS BIGINT)) AS BIGINT) END;
CREATE MACRO trino_hex_number(s) AS CAST(CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '[+]?[0-9a-fA-F]{1,16}') THEN '0x' || ltrim(s, '+')
    WHEN regexp_full_match(s, '-[0-9a-fA-F]{1,16}') THEN CAST(-CAST('0x' || s[2:] AS BIGINT) AS VARCHAR)
    ELSE 'INVALID_FUNCTION_ARGUMENT: Not a valid base-16 number: ' || s END AS BIGINT);
CREATE MACRO trino_base_digits(s, radix) AS list_reduce(list_transform(string_split(s, ''),
            lambda nj_c: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', nj_c) - 1 AS HUGEINT)),
            lambda nj_a, nj_d: nj_a * radix + nj_d);
CREATE MACRO trino_base_number(s, radix) AS CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '[+-]?[0-9a-z]+') AND len(list_filter(string_split(ltrim(s, '+-'), ''), lambda nj_c:
            strpos('0123456789abcdefghijklmnopqrstuvwxyz', nj_c) > radix)) = 0
    THEN CAST(CASE WHEN s[1] = '-' THEN -1 ELSE 1 END * trino_base_digits(ltrim(s, '+-'), radix) AS BIGINT)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Not a valid base-' || CAST(radix AS VARCHAR) || ' number: ' || s AS BIGINT) END;
CREATE MACRO trino_to_base(x, radix) AS CASE WHEN x < 0 THEN '-' ELSE '' END || lower(to_base(abs(x), radix));
CREATE MACRO trino_width_problem(x, a, b, n) AS CASE
    WHEN n <= 0 THEN 'bucketCount must be greater than 0' WHEN isnan(x) THEN 'operand must not be NaN'
    WHEN NOT isfinite(a) THEN 'first bound must be finite' WHEN NOT isfinite(b) THEN 'second bound must be finite'
    WHEN a = b THEN 'bounds cannot equal each other' END;
CREATE MACRO trino_bucket(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
    ELSE CAST(floor(n * (x - low) / (high - low) + 1) AS BIGINT) END;
CREATE MACRO trino_width_bucket(x, a, b, n) AS CASE WHEN x IS NULL OR a IS NULL OR b IS NULL OR n IS NULL THEN NULL
    WHEN trino_width_problem(x, a, b, n) IS NOT NULL
    THEN CAST('INVALID_FUNCTION_ARGUMENT: ' || trino_width_problem(x, a, b, n) AS BIGINT)
    WHEN a > b THEN n - trino_bucket(x, b, a, n) + 1 ELSE trino_bucket(x, a, b, n) END;
CREATE MACRO trino_bin(x, bins) AS CASE WHEN x IS NULL OR bins IS NULL THEN NULL WHEN len(bins) = 0
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array' || substr(CAST(x AS VARCHAR), 99) AS BIGINT)
    WHEN bins <> list_sort(bins)
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order' || substr(CAST(x AS VARCHAR), 99)
        AS BIGINT)
    ELSE len(list_filter(bins, lambda nj_b: nj_b <= x)) END;
"""
