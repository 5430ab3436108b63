"""Values in the text that Athena prints."""

from __future__ import annotations

import json
import math
import struct
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from infra.localcloud.athena.translator.types import split_top


def athena_text(value: Any, kind: str) -> str | None:
    """Prints a value of a DuckDB result.

    Args:
        value: The Python value that DuckDB returned.
        kind: The DuckDB type of its column.

    Returns:
        The text; None for null.
    """
    if value is None:
        return None
    if kind.endswith("[]") or kind.startswith(("MAP(", "STRUCT(")):
        return _nested(value, kind)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return single_text(value) if kind == "FLOAT" else double_text(value)
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
        return f"{text} UTC" if value.tzinfo else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray)):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value, default=str)


def _nested(value: Any, kind: str) -> str:
    if kind.endswith("[]"):
        return "[" + ", ".join(_element(item, kind[:-2]) for item in value) + "]"
    if kind.startswith("MAP("):
        key, item = split_top(kind[4:-1])
        return "{" + ", ".join(f"{_element(k, key)}={_element(v, item)}" for k, v in value.items()) + "}"
    kinds = dict(part.replace('"', "").split(" ", 1) for part in split_top(kind[7:-1]))
    fields = (f"{name}={_element(item, kinds.get(name, 'VARCHAR'))}" for name, item in value.items())
    return "{" + ", ".join(fields) + "}"


def _element(value: Any, kind: str) -> str:
    text = athena_text(value, kind)
    return "null" if text is None else text


def double_text(value: float) -> str:
    """Prints a double as Java's Double.toString does: 1.0, 1.0E10, 1.0E-5, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = Decimal(repr(value)).normalize().as_tuple()
    if len(digits.digits) == 1:
        # Java prints two digits at least, and of those the nearest: 4.9E-324.
        digits = Decimal(f"{value:.1e}").normalize().as_tuple()
    figures = "".join(map(str, digits.digits))
    exponent = int(digits.exponent) + len(figures) - 1
    return f"{'-' if digits.sign else ''}{figures[0]}.{figures[1:] or '0'}E{exponent}"


def single_text(value: float) -> str:
    """Prints a REAL, which DuckDB returns as a double, as Java's Float.toString does: its shortest text."""
    if math.isnan(value) or math.isinf(value):
        return double_text(value)
    for precision in range(1, 10):
        shorter = float(f"{value:.{precision}g}")
        if struct.pack("f", shorter) == struct.pack("f", value):
            return double_text(shorter)
    return double_text(value)
