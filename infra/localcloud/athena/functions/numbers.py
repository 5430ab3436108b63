"""Trino's functions of numbers that DuckDB rounds differently."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.functions.python import PythonFunction


def cbrt(value: float) -> float:
    """Returns the cube root."""
    return math.cbrt(value)


def decimal_quotient(dividend: str, divisor: str, scale: int) -> str:
    """Divides decimals of up to 38 digits and rounds half away from zero.

    Raises:
        QueryError: The divisor is zero.
    """
    with localcontext(prec=120):
        if Decimal(divisor) == 0:
            raise QueryError("DIVISION_BY_ZERO: Division by zero")
        quotient = Decimal(dividend) / Decimal(divisor)
        return f"{quotient.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP):f}"


FUNCTIONS = (
    PythonFunction("py_cbrt", cbrt, ("DOUBLE",), "DOUBLE"),
    PythonFunction("py_decimal_quotient", decimal_quotient, ("VARCHAR", "VARCHAR", "INTEGER"), "VARCHAR"),
)
