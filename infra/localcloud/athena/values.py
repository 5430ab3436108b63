"""Values in the text that Athena prints."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from typing import Any

from infra.localcloud.athena.types import split_top, struct_fields


def athena_text(value: Any, kind: str) -> str | None:
    """Prints a value of a DuckDB result.

    Args:
        value: The Python value that DuckDB returned; times and intervals are text already (``printing``).
        kind: The DuckDB type of its column.

    Returns:
        The text; None for null.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if kind.endswith("[]") or kind.startswith(("MAP(", "STRUCT(")):
        return _nested(value, kind)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return single_text(value) if kind == "FLOAT" else double_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray)):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, default=str)


def _nested(value: Any, kind: str) -> str:
    if kind.endswith("[]"):
        return "[" + ", ".join(_element(item, kind[:-2]) for item in value) + "]"
    if kind.startswith("MAP("):
        key, item = split_top(kind[4:-1])
        return "{" + ", ".join(f"{_element(k, key)}={_element(v, item)}" for k, v in value.items()) + "}"
    known = struct_fields(kind)
    items = value.values() if isinstance(value, dict) else value
    fields = (
        f"{name if name is not None else f'field{index}'}={_element(item, of)}"
        for index, (item, (name, of)) in enumerate(zip(items, known, strict=True))
    )
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
