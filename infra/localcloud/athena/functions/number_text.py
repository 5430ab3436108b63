"""The text of doubles and reals in Trino's casts to varchar, which is not the text in results: 1.5E0."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.values import double_text, single_text

# Trino formats a real with the pattern 0.0#####E0.
_REAL_DIGITS = 7


def varchar_text(value: float) -> str:
    """Prints a double as Trino's cast to varchar does: 1.5E0."""
    if not value or not math.isfinite(value):
        return double_text(value) if value else "-0E0" if math.copysign(1, value) < 0 else "0E0"
    if abs(value) < 1e-300:
        return double_text(value)
    text = repr(value)
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0) + len(whole) - 1
    if whole == "0":
        whole = fraction.lstrip("0")
        power -= len(fraction) - len(whole) + 1
        fraction = ""
    digits = (whole + fraction).rstrip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def real_text(value: float) -> str:
    """Prints a real as Trino's cast to varchar does: with at most seven digits."""
    shortest = single_text(value)
    if not value or not math.isfinite(value):
        return varchar_text(value)
    with localcontext(prec=_REAL_DIGITS):
        return varchar_text(float(+Decimal(shortest)))


FUNCTIONS = (PythonFunction("py_real_varchar", real_text, ("FLOAT",), "VARCHAR"),)
