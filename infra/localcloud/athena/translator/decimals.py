"""Trino's arithmetic of decimals: the types of its results, and divisions that round half away from zero."""

from __future__ import annotations

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.translator.coercion import as_decimal

_MAX = 38


def result_size(sign: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    """Returns precision and scale of ``left sign right``; ``left`` and ``right`` are precision and scale."""
    (p1, s1), (p2, s2) = left, right
    scale = max(s1, s2)
    if sign in "+-":
        return min(_MAX, max(p1 - s1, p2 - s2) + scale + 1), scale
    if sign == "*":
        return min(_MAX, p1 + p2), s1 + s2
    if sign == "/":
        return min(_MAX, p1 + s2 + max(0, s2 - s1)), scale
    return min(p1 - s1, p2 - s2) + scale, scale


def arithmetic(sign: str, left: str, right: str, types: tuple[str, str]) -> str | None:
    """Writes an operation of decimals; one operand may be an integer.

    Args:
        sign: One of + - * / %.
        left: The DuckDB text of the left operand.
        right: The DuckDB text of the right operand.
        types: Their DuckDB types.

    Returns:
        The DuckDB text; None if Trino has no such result type.
    """
    sizes = as_decimal(types[0]) or (_MAX, 0), as_decimal(types[1]) or (_MAX, 0)
    precision, scale = result_size(sign, *sizes)
    if scale > _MAX:
        return None
    result = f"DECIMAL({precision},{scale})"
    # DuckDB 1.5 computes with 18 digits and overflows if no operand has more, so the operands get the result's digits.
    wide = precision if precision > 18 and sign in "+-*" else 0
    left, right = (
        f"CAST({text} AS DECIMAL({max(p, wide)},{s}))" for text, (p, s) in zip((left, right), sizes, strict=True)
    )
    if sign == "/":
        return _divided(left, right, sizes, (precision, scale))
    if sign == "%":
        return f"CAST({left} % trino_nonzero({right}) AS {result})"
    return f"CAST({left} {sign} {right} AS {result})"


def _divided(left: str, right: str, sizes: tuple[tuple[int, int], tuple[int, int]], result: tuple[int, int]) -> str:
    (p1, s1), (p2, s2) = sizes
    shift = result[1] - s1 + s2
    if p1 + shift > _MAX:
        if p2 == _MAX:
            raise UnsupportedError("a division by a decimal of 38 digits", "Cast it to fewer digits.")
        return scaled(f"trino_long_half_up({unscaled(left, p1, s1)}, {unscaled(right, p2, s2)}, {shift})", *result)
    factor = "" if shift == 0 else f" * {10**shift}"
    return scaled(f"trino_half_up({unscaled(left, p1, s1)}{factor}, {unscaled(right, p2, s2)})", *result)


def unscaled(value: str, precision: int, scale: int) -> str:
    """Writes a decimal as the integer of its digits."""
    if scale == 0:
        return f"CAST({value} AS HUGEINT)"
    if precision + scale + 1 <= _MAX:
        return f"CAST(CAST({value} AS DECIMAL(38,{scale})) * CAST({10**scale} AS DECIMAL({scale + 1},0)) AS HUGEINT)"
    return f"CAST(replace(CAST({value} AS VARCHAR), '.', '') AS HUGEINT)"


def scaled(digits: str, precision: int, scale: int) -> str:
    """Writes a decimal from the integer of its digits; it fails if the integer has more digits than the type."""
    if scale == 0:
        return f"CAST({digits} AS DECIMAL({precision},0))"
    unit = "0." + "0" * (scale - 1) + "1"
    value = f"CAST({digits} AS DECIMAL(38,0)) * CAST('{unit}' AS DECIMAL({scale},{scale}))"
    return f"CAST({value} AS DECIMAL({precision},{scale}))"


def literal(written: str) -> tuple[str, int]:
    """Writes a decimal literal with the type that Trino gives it.

    Returns:
        The DuckDB text and the precision, which may be over 38.
    """
    digits, _, fraction = written.lstrip("+-").partition(".")
    digits = digits.lstrip("0")
    precision = max(1, len(digits) + len(fraction))
    sign = "-" if written.startswith("-") else ""
    number = f"{sign}{digits or '0'}" + (f".{fraction}" if fraction else "")
    return f"CAST('{number}' AS DECIMAL({precision},{len(fraction)}))", precision
